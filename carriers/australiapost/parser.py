"""What Australia Post's Track Items answers: `tracking_results`, each with articles or consignments of articles.

Source: Australia Post developer centre, Shipping and Tracking. Events have a text and no code, so the text is the code:
in lower case, with single blanks, and without a place that follows it.
"""

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from carriers.base import Fault, Message, Reading
from carriers.codes import CodeTable
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
    piece_count,
    read_each,
    read_parts,
    text,
)
from carriers.reading import tracking_number as read_number
from shipments.errors import Unreadable
from shipments.event import Event, Location

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
_STATES = frozenset({"ACT", "NSW", "NT", "QLD", "SA", "TAS", "VIC", "WA"})
_BEFORE_A_PLACE = ("in transit to next facility in", "awaiting collection at", "arrived in")
_NO_PLACE = "transit scan"


def parse(message: Message) -> Reading:
    """The events of every number; a notice for numbers that are not known and for a request that was refused."""
    body = as_object(load_json(message.body), "the body")
    if "tracking_results" in body:
        results = as_list(body["tracking_results"], "tracking_results")
        if not results:
            return Reading(notice="Australia Post answered without a result.")
        return read_parts(results, "tracking_results", _read_result)
    if errors := as_list(body.get("errors"), "errors"):
        return Reading(notice=f"Australia Post answered: {_error_words(errors)}.")
    raise Unreadable("there are neither tracking_results nor errors in the body")


def _read_result(value: Any, where: str) -> Reading:
    result = as_object(value, "a tracking result")
    number = read_number(result.get("tracking_id"))
    if errors := as_list(result.get("errors"), "errors"):
        return Reading(notice=f"Australia Post answered for {number}: {_error_words(errors)}.")
    items = as_list(result.get("trackable_items"), "trackable_items")
    read = read_parts(items, f"{where}.trackable_items", lambda item, place: _read_item(item, number, place))
    if read.events or read.faults:
        return read
    if text(result.get("status")):
        return Reading(events=(_status_event(result, number, None),))
    return Reading(notice=f"Australia Post lists no event of {number}.")


def _read_item(value: Any, number: str, where: str) -> Reading:
    """An article; or a consignment, which holds articles and may have events of its own."""
    item = as_object(value, "an item")
    articles = as_list(item.get("items"), "items")
    if not articles:
        return _read_article(item, number, where)
    own = _read_events(item, number, None, where)
    count = piece_count(item.get("number_of_items"))
    try:
        read = read_parts(articles, f"{where}.items", lambda article, place: _read_article(article, number, place))
    except Unreadable as fault:
        read = Reading(faults=(Fault(f"{where}.items", str(fault)),))
    whole = join((own, read))
    return replace(whole, events=tuple(replace(e, piece_count=count) for e in whole.events)) if count else whole


def _read_article(value: Any, number: str, where: str) -> Reading:
    """The events of an article; its status where it has none."""
    article = as_object(value, "an article")
    piece = text(article.get("article_id"))
    piece = piece if piece != number else None
    read = _read_events(article, number, piece, where)
    if not read.events and not read.faults and text(article.get("status")):
        return Reading(events=(_status_event(article, number, piece),))
    return read


def _read_events(holder: dict[str, Any], number: str, piece: str | None, where: str) -> Reading:
    events = as_list(holder.get("events"), "events")
    return read_each(events, f"{where}.events", lambda event: (_read_event(event, number, piece),))


def _read_event(value: Any, number: str, piece: str | None) -> Event:
    event = as_object(value, "an event")
    words = text(event.get("description"))
    if not words:
        raise Unreadable("the event has no description")
    code = _code(words)
    meaning = CODES.look_up("event", code)
    place = _place(text(event.get("location")))
    at, quality = iso_moment(event.get("date"), place.country)
    return Event(
        carrier="australiapost",
        tracking_number=number,
        piece=piece,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code_list="event",
        code=code,
        description=words,
        occurred_at=at,
        occurred_text=text(event.get("date")) or "",
        time_quality=quality,
        location=place,
    )


def _status_event(holder: dict[str, Any], number: str, piece: str | None) -> Event:
    """A status without events. It has no time."""
    words = text(holder.get("status")) or ""
    code = " ".join(words.lower().split())
    meaning = CODES.look_up("status", code)
    return Event(
        carrier="australiapost",
        tracking_number=number,
        piece=piece,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code_list="status",
        code=code,
        description=words,
    )


def _code(words: str) -> str:
    code = " ".join(words.lower().split())
    return next((fixed for fixed in _BEFORE_A_PLACE if code.startswith(f"{fixed} ")), code)


def _place(written: str | None) -> Location:
    """`KEW VIC`, `CHICAGO (US)`, `NZ`, `US-00000, UNITED STATES`, or a word that names no place."""
    if not written or written.lower() == _NO_PLACE:
        return Location()
    city, _, last = written.rpartition(" ")
    if last in _STATES and city:
        return Location(city=city, region=last, country="AU")
    if last.startswith("(") and city and (there := country(last.strip("()"))):
        return Location(city=city, country=there)
    if there := country(written):
        return Location(country=there)
    facility, _, name = written.rpartition(", ")
    if facility and (there := country(name)):
        return Location(facility=facility, country=there)
    return Location(city=written)


def _error_words(errors: list[Any]) -> str:
    told = (first_text(dig(error, "message"), dig(error, "name"), dig(error, "code")) for error in errors[:5])
    return ", ".join(filter(None, told)) or "an error without words"
