"""What AfterShip says: a tracking with its checkpoints, pushed as `msg`, polled as `data`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import UNMAPPED, CodeTable, Meaning
from carriers.reading import (
    as_list,
    as_object,
    country,
    dig,
    first_text,
    iso_moment,
    join,
    leg_of,
    load_json,
    read_beside,
    read_each,
    read_parts,
    reported_instant,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

_NO_NEWS = ("Pending", "Expired")
"""Tags about what AfterShip knows, not about the parcel."""


def parse(message: Message) -> Reading:
    """The events of a push or of a poll's answer; a notice for a tracking without news and for an error."""
    body = as_object(load_json(message.body), "the body")
    if "msg" in body:
        return read_parts([body["msg"]], "msg", _read_tracking)
    if "data" in body or "meta" in body:
        return _read_answer(body)
    if "tracking_number" in body:
        return read_parts([body], "tracking", _read_tracking)
    raise Unreadable("there is neither msg nor data nor a tracking in the body")


def _read_answer(body: dict[str, Any]) -> Reading:
    """`data` holds one tracking (newer versions), `tracking`, or `trackings`; an error has an empty one."""
    data = body.get("data")
    if isinstance(data, dict) and "trackings" in data:
        listed = as_list(data["trackings"], "trackings")
        if not listed:
            return Reading(notice="AfterShip lists no tracking.")
        return join([_more(data), read_parts(listed, "trackings", _read_tracking)])
    found = data.get("tracking", data) if isinstance(data, dict) else data
    if found:
        return read_parts([found], "data", _read_tracking)
    code = text(dig(body, "meta", "code"))
    if not code:
        raise Unreadable("there is neither a tracking nor the code of an error in the answer")
    kind = text(dig(body, "meta", "type"))
    return Reading(notice=f"AfterShip answered without a tracking: {code}{f' {kind}' if kind else ''}.")


def _more(data: dict[str, Any]) -> Reading:
    more = dig(data, "pagination", "has_next_page") is True
    return Reading(notice="AfterShip has more trackings on further pages." if more else None)


# ---- a tracking: one number at one courier


@dataclass(frozen=True, slots=True)
class _Tracking:
    """What holds for every checkpoint of a tracking."""

    number: str
    journey: str
    courier: str | None
    references: tuple[Reference, ...]
    signer: str | None
    proof: ProofOfDelivery | None
    estimate: When


def _read_tracking(value: Any, where: str) -> Reading:
    value = as_object(value, "a tracking")
    estimate, faults = read_beside(f"{where}.estimate", lambda: _estimate(value))
    signer = text(value.get("signed_by"))
    tracking = _Tracking(
        number=tracking_number(value.get("tracking_number")),
        journey=first_text(value.get("legacy_id"), value.get("id")) or "",
        courier=text(value.get("slug")),
        references=tuple(_references(value)),
        signer=signer.casefold() if signer and len(signer) > 2 else None,
        proof=ProofOfDelivery(signer, text(value.get("shipment_delivery_date"))) if signer else None,
        estimate=estimate,
    )
    checkpoints = as_list(value.get("checkpoints"), "checkpoints")
    if checkpoints:
        reading = read_each(checkpoints, f"{where}.checkpoints", lambda item: (_read_checkpoint(item, tracking),))
        return Reading(reading.events, (*reading.faults, *faults))
    tag = text(value.get("tag"))
    if tag is None or tag in _NO_NEWS:
        return Reading(faults=faults, notice=f"AfterShip has nothing on {tracking.number} ({tag or 'no tag'}).")
    summary = {name: value.get(name) for name in ("tag", "subtag", "subtag_message")}
    event = _read_checkpoint(summary | {"created_at": value.get("updated_at")}, tracking)
    return Reading((event,), faults)


def _references(value: dict[str, Any]) -> Iterator[Reference]:
    if courier := text(value.get("slug")):
        yield Reference("carrier", courier)
    for name in ("order_id", "order_number"):
        if number := text(value.get(name)):
            yield Reference(name, number)
    for leg in ("first_mile", "last_mile"):
        if number := text(dig(value, leg, "tracking_number")):
            yield Reference(f"{leg}_tracking_number", number)
    couriers = value.get("next_couriers")
    for courier_there in couriers if isinstance(couriers, list) else ():
        if number := text(dig(courier_there, "tracking_number")):
            yield Reference("last_mile_tracking_number", number)


def _estimate(value: dict[str, Any]) -> When:
    """What the courier promises; AfterShip's own forecast where the courier says nothing."""
    said = first_text(
        dig(value, "courier_estimated_delivery_date", "estimated_delivery_date"),
        value.get("expected_delivery"),
        dig(value, "aftership_estimated_delivery_date", "estimated_delivery_date"),
    )
    destination = first_text(value.get("courier_destination_country_iso3"), value.get("destination_country_iso3"))
    return iso_moment(said, country(destination))[0] if said else None


# ---- a checkpoint: one event


def _read_checkpoint(value: Any, tracking: _Tracking) -> Event:
    item = as_object(value, "a checkpoint")
    code, unmapped, meaning = _understand(text(item.get("tag")), text(item.get("subtag")))
    place = _location(item)
    written = text(item.get("checkpoint_time"))
    at, quality = iso_moment(written, place.country)
    delivered = meaning.milestone is Milestone.DELIVERED
    return Event(
        carrier="aftership",
        tracking_number=tracking.number,
        journey=tracking.journey,
        leg=leg_of(meaning.milestone),
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code=code,
        description=_words(item, tracking.signer),
        occurred_at=at,
        occurred_text=written or "",
        time_quality=quality,
        reported_at=reported_instant(item.get("created_at")),
        location=place,
        estimated_delivery_at=tracking.estimate,
        proof_of_delivery=tracking.proof if delivered else None,
        references=_references_of(item, tracking, unmapped),
    )


def _understand(tag: str | None, subtag: str | None) -> tuple[str, str | None, Meaning]:
    """The code that decides, a subtag that is not mapped and leaves it to the tag, and the meaning."""
    code = subtag or tag
    if not code:
        raise Unreadable("a checkpoint has neither a tag nor a subtag")
    if (meaning := CODES.find("", code)) or not tag:
        return code, None, meaning or UNMAPPED
    if meaning := CODES.find("", tag):
        return tag, subtag, meaning
    return code, None, UNMAPPED


def _words(item: dict[str, Any], signer: str | None) -> str | None:
    """The courier's words; AfterShip's where they name who signed."""
    said = text(item.get("message"))
    if said and not (signer and signer in said.casefold()):
        return said
    return text(item.get("subtag_message"))


def _references_of(item: dict[str, Any], tracking: _Tracking, unmapped: str | None) -> tuple[Reference, ...]:
    """The tracking's references, the courier's own code, and another courier of the checkpoint where there is one."""
    found = tracking.references
    if (courier := text(item.get("slug"))) and courier != tracking.courier:
        found = (*found, Reference("carrier_of_this_event", courier))
    if code := text(item.get("raw_tag")):
        found = (*found, Reference("carrier_code", code))
    return (*found, Reference("subtag", unmapped)) if unmapped else found


def _location(item: dict[str, Any]) -> Location:
    """The parts, and the one text they were taken from only where there are none."""
    city, region = text(item.get("city")), text(item.get("state"))
    return Location(
        facility=None if city or region else text(item.get("location")),
        city=city,
        region=region,
        postcode=first_text(item.get("postal_code"), item.get("zip")),
        country=country(item.get("country_region")) or country(item.get("country_iso3")),
    )
