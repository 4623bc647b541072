"""What a small shop sold this week, and what the carriers told of it, in hours before now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Scan:
    """What a carrier tells of a parcel. eta: its estimate, in days from today. parcel: which one of the delivery."""

    hours_ago: float
    milestone: str
    words: str
    city: str
    country: str = "FR"
    eta: int | None = None
    category: str | None = None
    signed_by: str | None = None
    parcel: int = 0


@dataclass(frozen=True)
class Sale:
    """One order with its delivery. promised: in days from today; parcels: how many the delivery left in."""

    customer: str
    carrier: str
    promised: int
    scans: Sequence[Scan]
    parcels: int = 1


def _sent(hours_ago: float, eta: int | None = None) -> list[Scan]:
    """Announced, picked up, and gone so many hours ago."""
    return [
        Scan(hours_ago + 14.2, "label_created", "The shipment was announced electronically", "Lyon"),
        Scan(hours_ago + 8.7, "picked_up", "The shipment was picked up", "Lyon"),
        Scan(hours_ago, "departed_facility", "The shipment left the parcel center", "Lyon", eta=eta),
    ]


SALES = {
    "delivered": Sale("Marchetti Outdoor", "dhl_unified", 0, [
        *_sent(48.4, eta=0),
        Scan(30.1, "arrived_at_facility", "The shipment arrived in the destination region", "Turin", "IT", eta=-1),
        Scan(27.3, "out_for_delivery", "The shipment is on the vehicle", "Turin", "IT"),
        Scan(24.6, "delivered", "The shipment was handed over", "Turin", "IT", signed_by="G. Marchetti"),
    ]),
    "customs": Sale("Hudson Trail Supply", "ups", 1, [
        *_sent(50.2, eta=1),
        Scan(33.5, "customs_clearance", "Your package is at the clearing agency", "Newark", "US"),
        Scan(6.3, "exception", "A missing invoice delays the clearance", "Newark", "US", category="customs_hold"),
    ]),
    "delayed": Sale("Bergström Friluft", "fedex", 1, [
        *_sent(44.8, eta=1),
        Scan(31.2, "arrived_at_facility", "At sort facility", "Malmö", "SE", eta=2),
        Scan(20.4, "delayed", "Weather delay, new delivery date", "Malmö", "SE", eta=3, category="weather"),
    ]),
    "silent": Sale("Kaiser Bergsport", "dhl_unified", 2, _sent(130.1, eta=2)),
    "parts": Sale("Refuge du Lac", "ups", 1, [
        *(replace(scan, parcel=parcel) for parcel in range(3) for scan in _sent(30.5, eta=0)),
        Scan(8.1, "delivered", "Delivered to the reception", "Annecy", parcel=0, signed_by="Duval"),
        Scan(8.1, "delivered", "Delivered to the reception", "Annecy", parcel=1, signed_by="Duval"),
        Scan(5.2, "arrived_at_facility", "Arrived at facility", "Annecy", parcel=2, eta=1),
    ], parcels=3),
    "today": Sale("Alpina Sport", "fedex", 0, [
        *_sent(26.9, eta=0),
        Scan(3.3, "out_for_delivery", "On FedEx vehicle for delivery", "Grenoble"),
    ]),
    "damaged": Sale("Sherpa Store", "dhl_unified", 2, [
        *_sent(40.3, eta=2),
        Scan(29.4, "exception", "The shipment was damaged and is repacked", "Leipzig", "DE", category="damaged"),
    ]),
    "address": Sale("Polar Vandring", "fedex", 2, [
        *_sent(28.2, eta=2),
        Scan(4.6, "exception", "Incorrect address, recipient moved", "Oslo", "NO", category="address_issue"),
    ]),
    "new": Sale("Verdon Escalade", "ups", 3, [Scan(2.2, "label_created", "Shipper created a label", "Lyon")]),
}  # fmt: skip
