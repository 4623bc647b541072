"""What an answer of GLS means, in its four shapes: group, Netherlands, Germany, and the public progress bar."""

from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    country,
    dig,
    first_text,
    iso_moment,
    join,
    load_json,
    moment,
    on_leg,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Leg, Location, Reference, TimeQuality, When

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

NETHERLANDS, GERMANY = "Europe/Amsterdam", "Europe/Berlin"
"""The zones of the two interfaces that serve one country each and write its clock without an offset."""


_TIMES = ("iso", "%Y-%m-%dT%H:%M:%S%z")
_A_MINUTE = timedelta(minutes=1)


def parse(message: Message) -> Reading:
    """The events of an answer; a notice where GLS has nothing on the parcels."""
    body = as_object(load_json(message.body), "the body")
    if "scans" in body or "parcelNo" in body:  # first: it has a list called parcels as well
        return _read_dutch(body)
    if "deliveryEvents" in body:
        return _read_german(body)
    if "tuStatus" in body:
        return _read_list(body, "tuStatus", _read_bar)
    if "parcels" in body:
        return _read_list(body, "parcels", _read_parcel)
    if said := first_text(body.get("exceptionText"), body.get("message"), body.get("lastError"), body.get("error")):
        return Reading(notice=f"GLS answered: {said}")
    raise Unreadable("the body is none of the shapes of GLS")


def _read_list(body: dict[str, Any], name: str, read: Callable[[Any, str], Reading]) -> Reading:
    parcels = as_list(body[name], name)
    if not parcels:
        return Reading(notice="GLS lists no parcel in this answer.")
    return read_parts(parcels, name, read)


def _event(
    number: str,
    code_list: str,
    code: str | None,
    words: str | None,
    at: tuple[When, TimeQuality],
    written: str | None,
    place: Location = Location(),  # noqa: B008 - it cannot be changed
    references: tuple[Reference, ...] = (),
    back: bool = False,
) -> Event:
    if not code:
        raise Unreadable("an event has neither code nor text")
    meaning = CODES.look_up(code_list, code)
    leg = Leg.RETURN if back else Leg.OUTBOUND
    return Event(
        carrier="gls",
        tracking_number=number,
        leg=leg,
        milestone=on_leg(meaning.milestone, leg),
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        description=words,
        occurred_at=at[0],
        occurred_text=written or "",
        time_quality=at[1],
        location=place,
        references=references,
    )


def _nothing_on(number: str, reading: Reading) -> Reading:
    if reading.events or reading.faults:
        return reading
    return Reading(notice=f"GLS has no event of {number} yet.")


# ---- group


def _read_parcel(parcel: Any, where: str) -> Reading:
    """The events, and the status where no listed event has its time."""
    parcel = as_object(parcel, "a parcel")
    number = tracking_number(first_text(parcel.get("unitno"), parcel.get("requested")))
    if said := first_text(parcel.get("errorCode"), parcel.get("errorMessage")):
        return Reading(notice=f"GLS has nothing on {number}: {said}")
    events = as_list(parcel.get("events"), "events")
    listed = read_each(events, f"{where}.events", lambda item: (_read_event(item, number),))
    status = read_each([parcel], f"{where}.status", lambda item: _read_status(item, number, listed))
    return _nothing_on(number, join([listed, status]))


def _read_status(parcel: dict[str, Any], number: str, listed: Reading) -> Iterable[Event]:
    """The status, unless an event was listed at its time or within a minute of it."""
    status, written = text(parcel.get("status")), text(parcel.get("statusDateTime"))
    if not status or (listed.events and not written):
        return ()
    event = _event(number, "", status, status, moment(written, *_TIMES), written)
    at = event.instant()
    times = [other.instant() for other in listed.events]
    return () if at and any(time and abs(time - at) <= _A_MINUTE for time in times) else (event,)


def _read_event(item: Any, number: str) -> Event:
    item = as_object(item, "an event")
    code, written = text(item.get("code")), text(item.get("eventDateTime"))
    land = country(item.get("country"))
    place = Location(city=text(item.get("city")), postcode=text(item.get("postalCode")), country=land)
    at = moment(written, *_TIMES, country_code=land)
    return _event(number, "event", code, text(item.get("description")) or code, at, written, place)


# ---- Netherlands


def _read_dutch(parcel: dict[str, Any]) -> Reading:
    number = tracking_number(parcel.get("parcelNo"))
    return _nothing_on(
        number, read_each(as_list(parcel.get("scans"), "scans"), "scans", lambda scan: (_read_scan(scan, number),))
    )


def _read_scan(scan: Any, number: str) -> Event:
    scan = as_object(scan, "a scan")
    written = text(scan.get("dateTime"))
    at = iso_moment(written, zone=NETHERLANDS)
    return _event(number, "nl", text(scan.get("state")), text(scan.get("eventReasonDescr")), at, written)


# ---- Germany


def _read_german(parcel: dict[str, Any]) -> Reading:
    number = tracking_number(parcel.get("trackingReference"))
    other = text(parcel.get("parcelNumber"))
    references = (Reference("parcel_number", other),) if other else ()
    items = as_list(parcel["deliveryEvents"], "deliveryEvents")
    reading = read_each(items, "deliveryEvents", lambda item: (_read_words(item, number, references),))
    return _nothing_on(number, reading)


def _read_words(item: Any, number: str, references: tuple[Reference, ...]) -> Event:
    """The text is all there is: an exact one is looked up, any other is unknown. Texts are never searched for words."""
    item = as_object(item, "an event")
    words, written = text(item.get("description")), text(item.get("occurrenceDateTime"))
    return _event(number, "text", words, words, iso_moment(written, zone=GERMANY), written, references=references)


# ---- progress bar


def _read_bar(parcel: Any, where: str) -> Reading:
    """The stage it stands at. The others have no dates, and those still to come have not happened."""
    parcel = as_object(parcel, "a parcel")
    number = tracking_number(parcel.get("tuNo"))
    bar = parcel.get("progressBar")
    code, written = text(dig(bar, "statusInfo")), text(parcel.get("date"))
    if not code:
        return Reading(notice=f"GLS has no event of {number} yet.")
    back = dig(bar, "retourFlag") is True
    return Reading((_event(number, "", code, text(dig(bar, "statusText")), iso_moment(written), written, back=back),))
