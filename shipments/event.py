"""The canonical event: one thing that happened to a parcel, in our words, whoever told us."""

import hashlib
from datetime import UTC, date, datetime, time
from enum import StrEnum
from functools import cached_property
from json.encoder import encode_basestring
from typing import Any
from uuid import UUID

from msgspec import Struct

from shipments.milestone import ExceptionCategory, Milestone

SCHEMA_VERSION = 1


class TimeQuality(StrEnum):
    """How far `occurred_at` can be trusted as an instant."""

    EXACT = "exact"  # the carrier stated the offset
    ASSUMED = "assumed"  # the offset follows from the stated place or the carrier's documented zone
    LOCAL = "local"  # a local time whose zone cannot be known; printed without offset
    DATE = "date"  # only a date is known
    NONE = "none"  # the carrier gave no time; occurred_at is null


class Leg(StrEnum):
    OUTBOUND = "outbound"
    RETURN = "return"


class Location(Struct, frozen=True):
    """Where it happened, as far as the carrier says. `country` is ISO 3166-1 alpha-2, `unlocode` UN/LOCODE."""

    facility: str | None = None
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None
    unlocode: str | None = None


class ProofOfDelivery(Struct, frozen=True):
    """Who signed, when (as the carrier wrote it, ISO 8601), and where the document can be fetched."""

    signed_by: str | None = None
    at: str | None = None
    document: str | None = None


class Reference(Struct, frozen=True):
    """Another number the carrier knows the parcel by: an order, a customer's reference, a partner's number."""

    type: str
    value: str


CARRIER, CARRIER_GUESS, CARRIER_CANDIDATE = "carrier", "carrier_guess", "carrier_candidate"
UNKNOWN_CARRIER = "unknown"
"""Types of the references that say who carries a parcel, where somebody else tells of it; a guess that is none."""

When = datetime | date | None


class Event(Struct, frozen=True, kw_only=True, dict=True):
    """One thing that happened to a parcel.

    occurred_at: aware datetime (time_quality exact or assumed), naive datetime (local), date (date) or None (none).
    occurred_text: the time exactly as the carrier wrote it; part of the key, so that mending a zone makes no doubles.
    journey: the carrier's own id of this journey of the number, where there is one (FedEx trackingNumberUniqueId).
    piece_count: how many pieces the carrier announces under this number, more than one.
    code is unique only within code_list. retracts: provider_event_id of an event this one takes back.
    """

    carrier: str
    tracking_number: str
    milestone: Milestone
    code: str
    code_list: str = ""
    occurred_at: When = None
    occurred_text: str = ""
    time_quality: TimeQuality = TimeQuality.NONE
    reported_at: datetime | None = None
    leg: Leg = Leg.OUTBOUND
    journey: str = ""
    piece: str | None = None
    piece_count: int | None = None
    exception_category: ExceptionCategory | None = None
    description: str | None = None
    location: Location = Location()
    estimated_delivery_at: When = None
    proof_of_delivery: ProofOfDelivery | None = None
    references: tuple[Reference, ...] = ()
    provider_event_id: str | None = None
    retracts: str | None = None
    is_test: bool = False

    @cached_property
    def key(self) -> UUID:
        """What makes two reports the same event: content only, never description, delivery id or parsed time."""
        place = self.location
        parts = (
            self.carrier, self.tracking_number, self.journey, self.piece, self.code_list, self.code,
            self.occurred_text, place.facility, place.city, place.postcode, place.country, self.retracts,
        )  # fmt: skip
        # what json.dumps would write, in a quarter of its time: every event needs a key
        text = "[" + ",".join(["null" if part is None else encode_basestring(part) for part in parts]) + "]"
        return UUID(bytes=hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest())

    def instant(self) -> datetime | None:
        """The moment to order by, in UTC; None without a time.

        A local time is taken as UTC and a date as its noon: right to within half a day, and only ever used to put
        events in order and to show a moment where Odoo insists on one.
        """
        at = self.occurred_at
        if isinstance(at, datetime):
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        if isinstance(at, date):
            return datetime.combine(at, time(12), UTC)
        return None

    def to_dict(self) -> dict[str, Any]:
        """The published form, ready for JSON: the fields of docs/schema/event-1.json.

        Every one is always there but `piece_count`, which came later: without a count the form is what it was, so that
        stored events stay equal to those that a replay reads.
        """
        place, proof = self.location, self.proof_of_delivery
        printed: dict[str, Any] = {
            "carrier": self.carrier,
            "tracking_number": self.tracking_number,
            "journey": self.journey or None,
            "leg": self.leg.value,
            "piece": self.piece,
            "milestone": self.milestone.value,
            "exception_category": self.exception_category.value if self.exception_category else None,
            "code_list": self.code_list or None,
            "code": self.code,
            "description": self.description,
            "occurred_at": _print_time(self.occurred_at),
            "occurred_text": self.occurred_text or None,
            "time_quality": self.time_quality.value,
            "reported_at": _print_time(self.reported_at),
            "location": {
                "facility": place.facility,
                "city": place.city,
                "region": place.region,
                "postcode": place.postcode,
                "country": place.country,
                "unlocode": place.unlocode,
            },
            "estimated_delivery_at": _print_time(self.estimated_delivery_at),
            "proof_of_delivery": (
                {"signed_by": proof.signed_by, "at": proof.at, "document": proof.document} if proof else None
            ),
            "references": [{"type": r.type, "value": r.value} for r in self.references],
            "provider_event_id": self.provider_event_id,
            "retracts": self.retracts,
            "is_test": self.is_test,
        }
        if self.piece_count is not None:
            printed["piece_count"] = self.piece_count
        return printed

    @classmethod
    def from_dict(cls, data: dict[str, Any], key: UUID | None = None) -> "Event":
        """The event that `to_dict` printed: from_dict(to_dict(e)) == e, with an equal key (given if it is known)."""
        proof, category = data["proof_of_delivery"], data["exception_category"]
        event = cls(
            carrier=data["carrier"],
            tracking_number=data["tracking_number"],
            journey=data["journey"] or "",
            leg=Leg(data["leg"]),
            piece=data["piece"],
            piece_count=data.get("piece_count"),
            milestone=Milestone(data["milestone"]),
            exception_category=ExceptionCategory(category) if category else None,
            code_list=data["code_list"] or "",
            code=data["code"],
            description=data["description"],
            occurred_at=_read_time(data["occurred_at"]),
            occurred_text=data["occurred_text"] or "",
            time_quality=TimeQuality(data["time_quality"]),
            reported_at=datetime.fromisoformat(data["reported_at"]) if data["reported_at"] else None,
            location=Location(**data["location"]),
            estimated_delivery_at=_read_time(data["estimated_delivery_at"]),
            proof_of_delivery=ProofOfDelivery(**proof) if proof else None,
            references=tuple(Reference(**r) for r in data["references"]),
            provider_event_id=data["provider_event_id"],
            retracts=data["retracts"],
            is_test=data["is_test"],
        )
        if key:
            event.__dict__["key"] = key
        return event


def _print_time(at: When) -> str | None:
    return at.isoformat() if at else None


def _read_time(text: str | None) -> When:
    if not text:
        return None
    return date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
