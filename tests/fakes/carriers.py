"""Carriers as they post: what happens to parcels, told by DHL, UPS and FedEx, each in its own words and with its proof.

For the demo, the system tests and the bench. The shapes are the documented push messages (see the carriers' READMEs);
numbers, times and places are made up.
"""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from carriers import find_carrier

SECRETS = {"dhl_unified": "demo-secret-dhl", "fedex": "demo-secret-fedex", "ups": "demo-secret-ups"}

Native = tuple[str, str, str]
"""A coarse status, a code, and the carrier's words."""

DHL: dict[str, Native] = {
    "label_created": ("pre-transit", "VA", "The shipment was announced electronically"),
    "picked_up": ("transit", "AE", "The shipment was picked up"),
    "departed_facility": ("transit", "AA", "The shipment left the parcel center"),
    "arrived_at_facility": ("transit", "EE", "The shipment arrived in the destination region"),
    "customs_clearance": ("transit", "ZO", "The shipment is in customs clearance"),
    "exception": ("failure", "BV", "The shipment was damaged and is being repacked"),
    "out_for_delivery": ("transit", "PO", "The shipment was loaded onto the delivery vehicle"),
    "delivery_attempted": ("failure", "ZN", "The delivery was not successful"),
    "delivered": ("delivered", "ZU", "The shipment was delivered"),
}
UPS: dict[str, Native] = {
    "label_created": ("M", "MP", "Shipment Ready for UPS"),
    "picked_up": ("I", "OR", "Origin Scan"),
    "departed_facility": ("I", "DP", "Departed from Facility"),
    "arrived_at_facility": ("I", "AR", "Arrived at Facility"),
    "out_for_delivery": ("I", "OT", "Out for Delivery"),
    "delivered": ("D", "FS", "Delivered"),
}
FEDEX: dict[str, Native] = {
    "label_created": ("OC", "OC", "Shipment information sent to FedEx"),
    "picked_up": ("PU", "PU", "Picked up"),
    "departed_facility": ("DP", "DP", "Left FedEx origin facility"),
    "arrived_at_facility": ("AR", "AR", "Arrived at FedEx location"),
    "delivery_attempted": ("DE", "DE", "Delivery exception"),
    "out_for_delivery": ("OD", "OD", "On FedEx vehicle for delivery"),
    "delivered": ("DL", "DL", "Delivered"),
}

USUAL = ("label_created", "picked_up", "departed_facility", "arrived_at_facility", "out_for_delivery", "delivered")


@dataclass(frozen=True, slots=True)
class Post:
    """One webhook, ready to be posted to /in/<carrier>. milestone: what it means."""

    carrier: str
    number: str
    milestone: str
    body: bytes
    headers: dict[str, str]


def post(carrier: str, number: str, milestone: str, at: datetime) -> Post:
    """The carrier tells that the parcel reached the milestone at that time (aware)."""
    body = json.dumps(_BODIES[carrier](number, milestone, at)).encode()
    declared = find_carrier(carrier)
    assert declared is not None
    headers = declared.proof.prove(body, SECRETS[carrier], at) | {"content-type": "application/json"}
    return Post(carrier, number, milestone, body, headers)


def story(
    carrier: str, number: str, milestones: Sequence[str] = USUAL, start: datetime | None = None
) -> Iterator[Post]:
    """A parcel's way, a step every five hours."""
    start = start or datetime.now(UTC) - timedelta(days=2)
    for step, milestone in enumerate(milestones):
        yield post(carrier, number, milestone, start + timedelta(hours=5 * step))


def shuffled(posts: Sequence[Post], repeated: float, chance: random.Random) -> list[Post]:
    """The same posts in random order, a share of them sent again."""
    again = [*posts, *chance.sample(list(posts), round(len(posts) * repeated))]
    chance.shuffle(again)
    return again


def _dhl(number: str, milestone: str, at: datetime) -> dict[str, object]:
    status, code, words = DHL[milestone]
    local = at.astimezone(timezone(timedelta(hours=1)))
    return {
        "scope": "subscription.push",
        "shipments": [
            {
                "id": number,
                "service": "parcel-de",
                "status": {
                    "timestamp": local.isoformat(timespec="seconds"),
                    "location": {"address": {"countryCode": "DE", "postalCode": "04435", "addressLocality": "Leipzig"}},
                    "statusCode": status,
                    "status": code,
                    "description": words,
                },
            }
        ],
    }


def _ups(number: str, milestone: str, at: datetime) -> dict[str, object]:
    kind, code, words = UPS[milestone]
    local, utc = at.astimezone(timezone(timedelta(hours=-5))), at.astimezone(UTC)
    delivered = milestone == "delivered"
    return {
        "trackingNumber": number,
        "localActivityDate": local.strftime("%Y%m%d"),
        "localActivityTime": local.strftime("%H%M%S"),
        "activityLocation": {"city": "Louisville", "stateProvince": "KY", "postalCode": "40213", "country": "US"},
        "activityStatus": {"type": kind, "code": code, "description": words, "descriptionCode": ""},
        "scheduledDeliveryDate": "",
        "actualDeliveryDate": local.strftime("%Y%m%d") if delivered else "",
        "actualDeliveryTime": local.strftime("%H%M%S") if delivered else "",
        "gmtActivityDate": utc.strftime("%Y%m%d"),
        "gmtActivityTime": utc.strftime("%H%M%S"),
    }


def _fedex(number: str, milestone: str, at: datetime) -> dict[str, object]:
    status, code, words = FEDEX[milestone]
    local = at.astimezone(timezone(timedelta(hours=-6)))
    place = {"city": "MEMPHIS", "stateOrProvinceCode": "TN", "postalCode": "38118", "countryCode": "US"}
    scan = {
        "date": local.isoformat(timespec="seconds"),
        "eventType": code,
        "eventDescription": words,
        "exceptionCode": "08" if code == "DE" else "",
        "exceptionDescription": "Customer not available or business closed" if code == "DE" else "",
        "scanLocation": place,
    }
    result = {
        "trackingNumberInfo": {"trackingNumber": number, "trackingNumberUniqueId": f"12030~{number}~FDEG"},
        "latestStatusDetail": {"code": status, "derivedCode": status, "description": words, "scanLocation": place},
        "scanEvents": [scan],
    }
    return {"output": {"completeTrackResults": [{"trackingNumber": number, "trackResults": [result]}]}}


_BODIES: dict[str, Callable[[str, str, datetime], dict[str, object]]] = {
    "dhl_unified": _dhl,
    "fedex": _fedex,
    "ups": _ups,
}
