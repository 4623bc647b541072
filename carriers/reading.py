"""Reading what a carrier wrote: values nobody promised anything about, into values we can rely on.

Everything here raises Unreadable, or returns None where a thing may be missing.
"""

import html
import json
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta, timezone
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from carriers.base import Fault, Reading
from shipments.errors import Unreadable
from shipments.event import Event, TimeQuality, When

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes. Above every documented message, photos in Base64 included; the door's own limit is lower."""

LONGEST_TEXT = 1000
LONGEST_NUMBER = 64
EARLIEST_YEAR = 2000
LATEST_YEAR = 2100
"""Carriers write 01-01-0001, 0, 1970 or 9999-12-31 for no date at all."""

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_MARKUP = re.compile(r"&(#\d+|#x[0-9a-fA-F]+|\w+);")


def load_json(body: bytes) -> Any:
    """The JSON in the body: UTF-8, -16 or -32 by its first bytes, Windows-1252 if it is none of these."""
    if not body.strip():
        raise Unreadable("the body is empty")
    if len(body) > LARGEST_BODY:
        raise Unreadable(f"the body has {len(body)} bytes; at most {LARGEST_BODY} are read")
    try:
        return json.loads(_decode(body), parse_constant=_no_constant)
    except RecursionError:
        raise Unreadable("the JSON is nested too deeply") from None
    except ValueError as fault:
        raise Unreadable(f"the body is not JSON: {fault}") from None


def _decode(body: bytes) -> str:
    encoding = json.detect_encoding(body)
    try:
        return body.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


def as_object(value: Any, where: str) -> dict[str, Any]:
    """The value as a JSON object, or Unreadable naming where it should have been."""
    if not isinstance(value, dict):
        raise Unreadable(f"{where} is {_kind(value)}, not an object")
    return value


def as_list(value: Any, where: str) -> list[Any]:
    """The value as a list; a missing one is empty, a lone object is a list of one (several carriers unwrap these)."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [value]
    if not isinstance(value, list):
        raise Unreadable(f"{where} is {_kind(value)}, not a list")
    return value


def dig(value: Any, *path: str) -> Any:
    """The value under the names of the path; None as soon as one is missing or not an object."""
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value


def text(value: Any) -> str | None:
    """The value as one line of text, or None where it says nothing.

    Missing, null, "", blanks, false, {} and [] are all "nothing" (each is in use); numbers become their digits;
    character references are resolved and control characters are blanked. At most LONGEST_TEXT characters.
    """
    if isinstance(value, str):
        if _UNPRINTABLE.search(value):
            value = _UNPRINTABLE.sub(" ", value)
        if "&" in value and _MARKUP.search(value):
            value = _UNPRINTABLE.sub(" ", html.unescape(value))
        return value.strip()[:LONGEST_TEXT] or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def tracking_number(value: Any) -> str:
    """A tracking number as the carrier prints it, without blanks around it; Unreadable if it cannot be one."""
    number = text(value)
    if not number:
        raise Unreadable("there is no tracking number")
    if len(number) > LONGEST_NUMBER:
        raise Unreadable(f"a tracking number of {len(number)} characters cannot be one")
    return number


def country(value: Any) -> str | None:
    """An ISO 3166-1 alpha-2 code in upper case; None for anything else."""
    code = text(value)
    return code.upper() if code and len(code) == 2 and code.isalpha() and code.isascii() else None


def iso_moment(value: Any, country_code: str | None = None, zone: str | None = None) -> tuple[When, TimeQuality]:
    """An ISO 8601 text as a time and how sure it is: see `place_in_zone` where it has no offset. None if empty."""
    written = text(value)
    if not written:
        return None, TimeQuality.NONE
    try:
        if len(written) == 10:
            return fixed_date(date.fromisoformat(written))
        at = datetime.fromisoformat(written)
    except ValueError:
        raise Unreadable(f"{written[:40]!r} is not an ISO 8601 time") from None
    return place_in_zone(at, country_code, zone)


def place_in_zone(at: datetime, country_code: str | None = None, zone: str | None = None) -> tuple[When, TimeQuality]:
    """A time with its quality: exact with an offset, assumed where place or zone give one, else local.

    zone: the carrier's documented IANA zone. country_code: used when every zone of that country has the same offset
    at that time (Germany's two have, Spain's three have not). A year before 2000 or after 2099 means no time at all.
    """
    if not EARLIEST_YEAR <= at.year < LATEST_YEAR:
        return None, TimeQuality.NONE
    if at.tzinfo is not None:
        offset = at.utcoffset() or timedelta(0)
        if not timedelta(hours=-12) <= offset <= timedelta(hours=14):
            raise Unreadable(f"an offset of {offset} from UTC is impossible")
        return at, TimeQuality.EXACT
    offsets = {at.replace(tzinfo=z).utcoffset() for z in _zones(country_code, zone)}
    if len(offsets) == 1 and (only := offsets.pop()) is not None:
        return at.replace(tzinfo=timezone(only)), TimeQuality.ASSUMED
    return at, TimeQuality.LOCAL


def fixed_date(at: date) -> tuple[When, TimeQuality]:
    """A date without a time, with its quality; before 2000 or after 2099 it means no date at all."""
    return (at, TimeQuality.DATE) if EARLIEST_YEAR <= at.year < LATEST_YEAR else (None, TimeQuality.NONE)


def _zones(country_code: str | None, zone: str | None) -> tuple[ZoneInfo, ...]:
    if zone:
        return (ZoneInfo(zone),)
    return zones_of(country_code)


def zones_of(country_code: str | None) -> tuple[ZoneInfo, ...]:
    """All IANA zones of a country (ISO 3166-1 alpha-2); empty for none or an unknown one."""
    return _zones_by_country().get(country_code or "", ())


@cache
def _zones_by_country() -> dict[str, tuple[ZoneInfo, ...]]:
    """The zones of each country, from the IANA table zone.tab (country, coordinates, zone) in the package tzdata."""
    found: dict[str, list[ZoneInfo]] = {}
    table = resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text(encoding="utf-8")
    for line in table.splitlines():
        if line and not line.startswith("#"):
            columns = line.split("\t")
            found.setdefault(columns[0], []).append(ZoneInfo(columns[2]))
    return {code: tuple(zones) for code, zones in found.items()}


def read_each(items: Iterable[Any], where: str, read: Callable[[Any], Iterable[Event]]) -> Reading:
    """Reads every item; one that is unreadable becomes a Fault and costs nothing but itself."""
    events: list[Event] = []
    faults: list[Fault] = []
    for position, item in enumerate(items):
        try:
            events.extend(read(item))
        except Unreadable as fault:
            faults.append(Fault(f"{where}[{position}]", str(fault)))
    return Reading(tuple(events), tuple(faults))


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "missing"}
    return names.get(type(value), "a number")
