"""What one event of ShipEngine means: its code, its time by two clocks, its place, and who signed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from carriers.codes import UNMAPPED, CodeTable, Meaning
from carriers.reading import as_object, country, first_text, iso_moment, leg_of, place_in_zone, text
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, TimeQuality, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

_SAYS_NOTHING = "CARRIER_STATUS_NOT_MAPPED"
_QUARTER = timedelta(minutes=15)
_OFFSETS = (timedelta(hours=-12), timedelta(hours=14))


@dataclass(frozen=True, slots=True)
class Tracking:
    """What holds for every event of a tracking."""

    number: str
    references: tuple[Reference, ...]
    estimate: When


def written_time(item: dict[str, Any]) -> str | None:
    """The time as it is written, which is part of the key."""
    return first_text(item.get("occurred_at"), item.get("carrier_occurred_at"), item.get("event_date"))


def read_event(value: Any, tracking: Tracking) -> Event:
    """The event of an entry of the list; Unreadable if it has no code."""
    item = as_object(value, "an event")
    code_list, code, meaning, unmapped = _understand(item)
    place = Location(
        city=text(item.get("city_locality")),
        region=text(item.get("state_province")),
        postcode=text(item.get("postal_code")),
        country=country(item.get("country_code")),
    )
    at, quality = _moment(item, place.country)
    delivered = meaning.milestone is Milestone.DELIVERED
    references = tracking.references
    return Event(
        carrier="shipengine",
        tracking_number=tracking.number,
        leg=leg_of(meaning.milestone),
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        description=_words(item),
        occurred_at=at,
        occurred_text=written_time(item) or "",
        time_quality=quality,
        location=place,
        estimated_delivery_at=tracking.estimate,
        proof_of_delivery=_proof(item) if delivered else None,
        references=(*references, *unmapped) if unmapped else references,
    )


def _understand(item: dict[str, Any]) -> tuple[str, str, Meaning, tuple[Reference, ...]]:
    """List, code and meaning of what decides, and the codes beside it that are worth keeping.

    ShipEngine's detail, its status, then the carrier's own code, of which no list is known.
    """
    detail, status = text(item.get("status_detail_code")), text(item.get("status_code"))
    own = text(item.get("event_code"))
    beside = (Reference("carrier_code", own),) if own else ()
    if detail and detail != _SAYS_NOTHING:
        if meaning := CODES.find("detail", detail):
            return "detail", detail, meaning, beside
        if not (status and CODES.find("", status)):
            return "detail", detail, UNMAPPED, beside
        beside = (*beside, Reference("status_detail", detail))
    if status:
        return "", status, CODES.look_up("", status), beside
    code = own or text(item.get("carrier_detail_code"))
    if not code:
        raise Unreadable("the event has neither a status nor a code of the carrier")
    return "event", code, CODES.look_up("event", code), ()


def _moment(item: dict[str, Any], country_code: str | None) -> tuple[When, TimeQuality]:
    """The instant with the offset that the carrier's clock beside it shows.

    Where both show one clock nobody knew the zone, and the Z is made up: the place decides, or the time stays local.
    """
    exact, quality = iso_moment(item.get("occurred_at") or item.get("event_date"), country_code)
    clock, clock_quality = iso_moment(item.get("carrier_occurred_at"))
    if not isinstance(exact, datetime) or quality is not TimeQuality.EXACT or not isinstance(clock, datetime):
        return (exact, quality) if exact else _placed(clock, clock_quality, country_code)
    if clock_quality is TimeQuality.EXACT:
        return clock, clock_quality
    ahead = clock.replace(tzinfo=UTC) - exact
    if not ahead:
        return place_in_zone(clock, country_code)
    if ahead % _QUARTER or not _OFFSETS[0] <= ahead <= _OFFSETS[1]:
        return exact, quality
    return clock.replace(tzinfo=timezone(ahead)), TimeQuality.EXACT


def _placed(clock: When, quality: TimeQuality, country_code: str | None) -> tuple[When, TimeQuality]:
    return place_in_zone(clock, country_code) if isinstance(clock, datetime) else (clock, quality)


def _words(item: dict[str, Any]) -> str | None:
    """The carrier's words, without those that name who signed."""
    signer = text(item.get("signer"))
    for name in ("description", "event_description", "carrier_status_description", "status_description"):
        said = text(item.get(name))
        if said and not (signer and len(signer) > 2 and signer.casefold() in said.casefold()):
            return said
    return None


def _proof(item: dict[str, Any]) -> ProofOfDelivery | None:
    signer, link = text(item.get("signer")), text(item.get("proof_of_delivery_url"))
    document = link if link and link.startswith("https://") else None
    if not signer and not document:
        return None
    return ProofOfDelivery(signer, first_text(item.get("carrier_occurred_at"), item.get("occurred_at")), document)
