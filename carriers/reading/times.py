"""Times in every way carriers write them, with how sure they are. Nothing here ever assumes UTC."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import cache, lru_cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from carriers.reading.values import text
from shipments.errors import Unreadable
from shipments.event import TimeQuality, When

EARLIEST_YEAR = 2000
LATEST_YEAR = 2100
"""Carriers write 01-01-0001, 0, 1970 or 9999-12-31 for no date at all."""

_WESTERNMOST, _EASTERNMOST = timedelta(hours=-12), timedelta(hours=14)
_NOTHING = (None, TimeQuality.NONE)

# Abbreviations as the posts and carriers of their regions use them. A fixed offset each: the carrier has chosen
# between standard and daylight time by writing one or the other.
_ABBREVIATIONS = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "EET": 2, "EEST": 3,
    "NST": -3.5, "NDT": -2.5, "AST": -4, "ADT": -3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6,
    "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10, "AEST": 10, "AEDT": 11, "ACST": 9.5, "ACDT": 10.5,
    "AWST": 8, "NZST": 12, "NZDT": 13, "JST": 9, "HKT": 8, "SGT": 8,
}  # fmt: skip
_OFFSET = re.compile(r"([+-])(\d{1,2})(?:[:.]?(\d{2}))?")
_MONTHS = {
    m: n for n, m in enumerate(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1)
}


# ---- what is written


def iso_moment(value: Any, country_code: str | None = None, zone: str | None = None) -> tuple[When, TimeQuality]:
    """An ISO 8601 text as a time and how sure it is: see `place_in_zone` where it has no offset. None if empty."""
    written = text(value)
    if not written:
        return _NOTHING
    try:
        if len(written) == 10:
            return fixed_date(date.fromisoformat(written))
        at = datetime.fromisoformat(written)
    except ValueError:
        raise Unreadable(f"{written[:40]!r} is not an ISO 8601 time") from None
    return place_in_zone(at, country_code, zone)


def reported_instant(value: Any) -> datetime | None:
    """When a carrier says that it wrote something down (ISO 8601); None without an offset, and for a damaged one.

    Only for times beside the event, such as `reported_at`: nothing is lost with them.
    """
    try:
        at, quality = iso_moment(value)
    except Unreadable:
        return None
    return at if isinstance(at, datetime) and quality is TimeQuality.EXACT else None


def moment(
    value: Any, *shapes: str, country_code: str | None = None, zone: str | None = None
) -> tuple[When, TimeQuality]:
    """A time in one of the carrier's documented shapes, and how sure it is; ISO 8601 is not among them unless named.

    Shapes are written as for strptime: %Y %y %m %d %H %I %M %S %f %p %b (English months, short or long) and %z (Z, UTC,
    +0200, +02:00, -04.00, EST). One without a clock gives a date. `iso` as a shape is any ISO 8601 text. Unreadable if
    the text has none of them.
    """
    written = text(value)
    if not written:
        return _NOTHING
    for shape in shapes:
        if shape == "iso":
            try:
                return iso_moment(written, country_code, zone)
            except Unreadable:
                continue
        found = _shape(shape)(written)
        if isinstance(found, datetime):
            return place_in_zone(found, country_code, zone)
        if found:
            return fixed_date(found)
    raise Unreadable(f"{written[:40]!r} is not a time in the shape {' or '.join(shapes)}")


def epoch(value: Any, *, milliseconds: bool = False) -> tuple[When, TimeQuality]:
    """Seconds (or milliseconds) since 1970, as a number or its digits: an instant, so exact, printed in UTC."""
    written = text(value)
    if not written:
        return _NOTHING
    try:
        seconds = float(written) / (1000 if milliseconds else 1)
        return place_in_zone(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        raise Unreadable(f"{written[:40]!r} is not a number of seconds since 1970") from None


def with_offset(
    at: datetime, written: Any, country_code: str | None = None, zone: str | None = None
) -> tuple[When, TimeQuality]:
    """A local time with the offset or zone that stands beside it: -05:00, -04.00, EST, or Europe/Berlin.

    Exact by a stated one; as place_in_zone where there is none. Unreadable for one nobody knows.
    """
    said = text(written)
    if not said:
        return place_in_zone(at, country_code, zone)
    if "/" in said and said in _zone_names():
        there, _ = place_in_zone(at.replace(tzinfo=None), None, said)
        return (there, TimeQuality.EXACT) if there else _NOTHING
    return place_in_zone(at.replace(tzinfo=timezone(offset_of(said))))


def offset_of(written: str) -> timedelta:
    """The offset that +0200, +02:00, -04.00, Z, UTC or an abbreviation such as EDT states; Unreadable for others."""
    said = written.strip().upper()
    hours = _ABBREVIATIONS.get(said)
    if hours is not None:
        return timedelta(hours=hours)
    match = _OFFSET.fullmatch(said)
    if not match:
        raise Unreadable(f"{written[:20]!r} is no offset from UTC")
    size = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return _possible(-size if match[1] == "-" else size)


# ---- what it means


def place_in_zone(at: datetime, country_code: str | None = None, zone: str | None = None) -> tuple[When, TimeQuality]:
    """A time with its quality: exact with an offset, assumed where place or zone give one, else local.

    zone: the carrier's documented IANA zone. country_code: used when every zone of that country has the same offset
    at that time (Germany's two have, Spain's three have not). A year before 2000 or after 2099 means no time at all.
    """
    if not EARLIEST_YEAR <= at.year < LATEST_YEAR:
        return _NOTHING
    if at.tzinfo is not None:
        _possible(at.utcoffset() or timedelta(0))
        return at, TimeQuality.EXACT
    if not zone and not country_code:
        return at, TimeQuality.LOCAL
    settled = _offset_that_day(country_code, zone, at.year, at.month, at.day)
    if settled is _CHANGES:
        settled = _offset_then(country_code, zone, at)
    return (at.replace(tzinfo=settled), TimeQuality.ASSUMED) if settled else (at, TimeQuality.LOCAL)


def fixed_date(at: date) -> tuple[When, TimeQuality]:
    """A date without a time, with its quality; before 2000 or after 2099 it means no date at all."""
    return (at, TimeQuality.DATE) if EARLIEST_YEAR <= at.year < LATEST_YEAR else _NOTHING


def date_if_midnight(at: When, quality: TimeQuality) -> tuple[When, TimeQuality]:
    """For carriers that write midnight where they know only the day: the date, never moved to another zone."""
    if isinstance(at, datetime) and at.time() == time():
        return fixed_date(at.date())
    return at, quality


def _possible(offset: timedelta) -> timedelta:
    if not _WESTERNMOST <= offset <= _EASTERNMOST:
        raise Unreadable(f"an offset of {offset} from UTC is impossible")
    return offset


# ---- zones

_CHANGES = timezone(timedelta(0), "changes")
"""Stands for: some clock changed on that day, so the time of day has to be looked at."""


@lru_cache(maxsize=16384)
def _offset_that_day(country_code: str | None, zone: str | None, year: int, month: int, day: int) -> timezone | None:
    """The one offset all of that day; None if there are several or none; _CHANGES if a clock changed."""
    begin = datetime(year, month, day)  # noqa: DTZ001 - a local time; the zones are what is asked about
    end = begin + timedelta(days=1)
    zones = _zones(country_code, zone)
    if any(begin.replace(tzinfo=z).utcoffset() != end.replace(tzinfo=z).utcoffset() for z in zones):
        return _CHANGES
    return _offset_then(country_code, zone, begin)


def _offset_then(country_code: str | None, zone: str | None, at: datetime) -> timezone | None:
    offsets = {at.replace(tzinfo=z).utcoffset() for z in _zones(country_code, zone)}
    if len(offsets) == 1 and (only := offsets.pop()) is not None:
        return timezone(only)
    return None


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


def is_zone(name: str) -> bool:
    """Whether that is the IANA name of a zone."""
    return name in _zone_names()


@cache
def _zone_names() -> frozenset[str]:
    """Every IANA name, from the list in the package tzdata: what a carrier writes is never taken for a file name."""
    return frozenset(resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split())


# ---- shapes

_PARTS = {
    "Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d{2})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})", "I": r"(?P<I>\d{1,2})", "M": r"(?P<M>\d{2})", "S": r"(?P<S>\d{2})",
    "f": r"(?P<f>\d{1,9})", "p": r"(?P<p>[AaPp]\.?[Mm]\.?)", "b": r"(?P<b>[A-Za-z]{3,9})\.?",
    "z": r"\s*(?P<z>[+-]\d{1,2}(?:[:.]?\d{2})?|[A-Za-z]{1,5})",
}  # fmt: skip
# Where digits follow one another without a separator, their number is fixed.
_PACKED = {"m": r"(?P<m>\d{2})", "d": r"(?P<d>\d{2})", "H": r"(?P<H>\d{2})", "I": r"(?P<I>\d{2})"}


_ISO_SHAPES = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")
_ISO_LENGTH = 19


@cache
def _shape(shape: str) -> Callable[[str], datetime | date | None]:
    """A reader of that shape, made once: several times quicker than strptime, and the same in every locale."""
    return _quick(shape, _careful(shape)) if shape in _ISO_SHAPES else _careful(shape)


def _quick(shape: str, otherwise: Callable[[str], datetime | date | None]) -> Callable[[str], datetime | date | None]:
    """What has every sign where ISO 8601 has it is read by Python's own reader; the rest by the other."""
    between = shape[len("%Y-%m-%d")]

    def read(written: str) -> datetime | date | None:
        if len(written) == _ISO_LENGTH and written[4:17:3] == f"--{between}::":
            with suppress(ValueError):
                return datetime.fromisoformat(written)
        return otherwise(written)

    return read


def _careful(shape: str) -> Callable[[str], datetime | date | None]:
    pattern = re.compile(_pattern(shape), re.ASCII)
    has_clock = "%H" in shape or "%I" in shape

    def read(written: str) -> datetime | date | None:
        match = pattern.fullmatch(written)
        if not match:
            return None
        part = match.groupdict()
        try:
            day = date(_year(part), _month(part), int(part["d"]))
            return datetime.combine(day, _clock(part), _zone(part)) if has_clock else day
        except ValueError:
            return None

    return read


def _pattern(shape: str) -> str:
    pieces = re.findall(r"%.|[^%]+", shape)
    pattern = ""
    for position, piece in enumerate(pieces):
        if not piece.startswith("%"):
            pattern += re.escape(piece).replace(r"\ ", r"\s+")
            continue
        letter = "b" if piece[1] == "B" else piece[1]
        if letter not in _PARTS:
            raise ValueError(f"{piece} is no part of a time; there are {', '.join('%' + part for part in _PARTS)}")
        beside = pieces[max(position - 1, 0) : position + 2]
        packed = sum(other.startswith("%") and other[1] in "YymdHIMS" for other in beside) > 1
        pattern += _PACKED.get(letter, _PARTS[letter]) if packed else _PARTS[letter]
    return pattern


def _year(part: dict[str, Any]) -> int:
    return int(part["Y"]) if part.get("Y") else 2000 + int(part["y"])


def _month(part: dict[str, Any]) -> int:
    if part.get("b"):
        return _MONTHS.get(part["b"][:3].lower(), 0)
    return int(part["m"])


def _clock(part: dict[str, Any]) -> time:
    hour = int(part.get("H") or part["I"])
    if part.get("p"):
        if not 1 <= hour <= 12:
            raise ValueError("a clock of twelve hours has no such hour")
        hour = hour % 12 + (12 if part["p"][0] in "Pp" else 0)
    micro = int(f"{part.get('f') or '0':0<6}"[:6])
    return time(hour, int(part.get("M") or 0), int(part.get("S") or 0), micro)


def _zone(part: dict[str, Any]) -> timezone | None:
    return timezone(offset_of(part["z"])) if part.get("z") else None
