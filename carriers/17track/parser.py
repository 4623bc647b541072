"""What 17TRACK says: a push has one number in `data`, an answer of gettrackinfo many in `data.accepted`."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    country,
    date_if_midnight,
    dig,
    first_text,
    iso_moment,
    join,
    leg_of,
    load_json,
    read_beside,
    read_each,
    read_part,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, Reference, TimeQuality, When

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

_UPDATED, _STOPPED = "TRACKING_UPDATED", "TRACKING_STOPPED"
_A_MINUTE = timedelta(minutes=1)
_NOWHERE = Location()


def parse(message: Message) -> Reading:
    """The events of a push or an answer; a notice for a stopped number, a rejected one and one nobody knows yet."""
    body = as_object(load_json(message.body), "the body")
    data = body.get("data")
    if (kind := text(body.get("event"))) is not None:
        return _read_push(kind, as_object(data, "data"))
    if "accepted" in (found := as_object(data, "data")) or "rejected" in found:
        return _read_answer(found)
    if refused := [_error(item) for item in as_list(found.get("errors"), "data.errors")]:
        return Reading(notice="; ".join(refused))
    raise Unreadable("there is no event in the body, and neither accepted nor rejected numbers in its data")


def _read_push(kind: str, data: dict[str, Any]) -> Reading:
    if kind == _UPDATED:
        return read_parts([data], "data", _read_number)
    number = tracking_number(data.get("number"))
    if kind == _STOPPED:
        return Reading(notice=f"17TRACK has stopped tracking {number}; register it again to hear more of it")
    return Reading(notice=f"17TRACK sent {kind[:40]} about {number}, which says nothing about where it is")


def _read_answer(data: dict[str, Any]) -> Reading:
    accepted, rejected = as_list(data.get("accepted"), "accepted"), as_list(data.get("rejected"), "rejected")
    if not accepted and not rejected:
        return Reading(notice="17TRACK lists no number in this answer")
    parts = [*((item, _read_number) for item in accepted), *((item, _read_rejected) for item in rejected)]
    return read_parts(parts, "data", lambda part, where: part[1](part[0], where))


def _read_rejected(value: Any, where: str) -> Reading:
    item = as_object(value, "a rejected number")
    return Reading(notice=f"{tracking_number(item.get('number'))}: {_error(item.get('error'))}")


def _error(value: Any) -> str:
    words, code = text(dig(value, "message")) or "no reason", text(dig(value, "code")) or "not stated"
    return f"17TRACK answered: {words} (code {code})"


# ---- a number


@dataclass(slots=True)
class _Number:
    """What holds for every event of a number, and for every event of one of its carriers."""

    number: str
    estimate: When
    references: tuple[Reference, ...]
    newest_time: str | None
    newest_code: str | None


def _read_number(value: Any, where: str) -> Reading:
    item = as_object(value, "a number")
    number = tracking_number(item.get("number"))
    info = item.get("track_info")
    if info is None:
        return Reading(notice=f"17TRACK knows nothing of {number} yet")
    info = as_object(info, "track_info")
    at = f"{where}.track_info"
    newest, status = info.get("latest_event"), info.get("latest_status")
    estimate, faults = read_beside(f"{at}.time_metrics.estimated_delivery_date", lambda: _estimate(info))
    common = _Number(
        number=number,
        estimate=estimate,
        references=_references(item, info),
        newest_time=first_text(dig(newest, "time_iso"), dig(newest, "time_utc")),
        newest_code=first_text(dig(status, "sub_status"), dig(status, "status")),
    )
    providers = as_list(dig(info, "tracking", "providers"), "providers")
    listed = join(
        read_part(provider, f"{at}.tracking.providers[{n}]", lambda value, where: _read_provider(value, common, where))
        for n, provider in enumerate(providers)
    )
    rest = read_each([newest] if newest else [], f"{at}.latest_event", lambda e: _unless_listed(e, common, listed))
    reading = join([listed, rest, Reading(faults=faults)])
    if reading.events or reading.faults:
        return reading
    return Reading(notice=f"17TRACK knows no event of {number} yet ({common.newest_code or 'no status'})")


def _read_provider(value: Any, common: _Number, where: str) -> Reading:
    provider = as_object(value, "a provider")
    events = as_list(provider.get("events"), "events")
    name = text(dig(provider, "provider", "name"))
    references = (*common.references, Reference("provider", name)) if name else common.references
    return read_each(events, f"{where}.events", lambda event: (_read_event(event, common, references),))


def _unless_listed(value: Any, common: _Number, listed: Reading) -> tuple[Event, ...]:
    """latest_event repeats a listed one, often with a fuller address, so it counts only where none is like it."""
    newest = _read_event(value, common, common.references)
    return () if any(_are_one(newest, event) for event in listed.events) else (newest,)


def _are_one(newest: Event, event: Event) -> bool:
    if newest.code != event.code:
        return False
    one, other = newest.occurred_at, event.occurred_at
    if not isinstance(one, datetime) or not isinstance(other, datetime):
        return newest.occurred_text == event.occurred_text
    return abs(one.replace(tzinfo=None) - other.replace(tzinfo=None)) <= _A_MINUTE


def _references(item: dict[str, Any], info: dict[str, Any]) -> tuple[Reference, ...]:
    misc = info.get("misc_info")
    named = (
        ("carrier", item.get("carrier")),
        ("tag", item.get("tag")),
        ("reference_number", dig(misc, "reference_number")),
        ("customer_number", dig(misc, "customer_number")),
        ("local_number", dig(misc, "local_number")),
    )
    return as_references(named)


def _estimate(info: dict[str, Any]) -> When:
    """The later end of the estimate; midnight is a day without a time."""
    expected = dig(info, "time_metrics", "estimated_delivery_date")
    return date_if_midnight(*iso_moment(first_text(dig(expected, "to"), dig(expected, "from"))))[0]


# ---- an event


def _read_event(value: Any, common: _Number, references: tuple[Reference, ...]) -> Event:
    event = as_object(value, "an event")
    place = _location(event)
    written, at, quality = _time(event, place.country)
    code_list, code = _code(event, common)
    meaning = CODES.look_up(code_list, code)
    return Event(
        carrier="17track",
        tracking_number=common.number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code_list=code_list,
        code=code,
        description=text(event.get("description")),
        occurred_at=at,
        occurred_text=written or "",
        time_quality=quality,
        location=place,
        estimated_delivery_at=common.estimate,
        references=references,
    )


def _code(event: dict[str, Any], common: _Number) -> tuple[str, str]:
    """The sub-status; else the stage; else, for the newest event alone, the sub-status of the number."""
    if code := text(event.get("sub_status")):
        return "", code
    if stage := text(event.get("stage")):
        return ("", stage) if CODES.find("", stage) else ("stage", stage)
    if common.newest_time and common.newest_time == first_text(event.get("time_iso"), event.get("time_utc")):
        return "", common.newest_code or ""
    return "", ""


def _time(event: dict[str, Any], country_code: str | None) -> tuple[str | None, When, TimeQuality]:
    """As it was written, when, and how sure: an offset that 17TRACK set itself is an assumption.

    time_raw is what the carrier wrote; where it has a clock and no zone, the offset of time_iso is 17TRACK's.
    """
    raw = event.get("time_raw")
    day, clock, zone = (text(dig(raw, name)) for name in ("date", "time", "timezone"))
    as_written = " ".join(part for part in (day, clock, zone) if part) or None
    given = first_text(event.get("time_iso"), event.get("time_utc"))
    if day and not clock:
        return as_written, *iso_moment(day)
    if not given:
        return as_written, *iso_moment(f"{day}T{clock}{zone or ''}" if day else None, country_code)
    at, quality = iso_moment(given, country_code)
    if as_written and not zone and quality is TimeQuality.EXACT:
        quality = TimeQuality.ASSUMED
    return as_written or given, at, quality


def _location(event: dict[str, Any]) -> Location:
    """The parts of the address; the text beside them where they name no city."""
    address, words = event.get("address"), text(event.get("location"))
    if not isinstance(address, dict):
        return Location(city=words) if words else _NOWHERE
    return Location(
        city=text(address.get("city")) or words,
        region=text(address.get("state")),
        postcode=text(address.get("postal_code")),
        country=country(address.get("country")),
    )
