"""How UPS tells the time: local and Greenwich time as digits side by side, and now and then an offset."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, timezone
from functools import lru_cache

from carriers.reading import fixed_date, place_in_zone, zones_of
from shipments.errors import Unreadable
from shipments.event import Location, TimeQuality, When

_QUARTER_SECONDS = 900
_WESTERNMOST, _EASTERNMOST = timedelta(hours=-12), timedelta(hours=14)
# UPS counts these as states of the US; zone tables count them as countries.
_TERRITORIES = frozenset({"AS", "GU", "MP", "PR", "VI"})


def read_moment(day: str | None, clock: str | None) -> When:
    """A date YYYYMMDD with a time HHMMSS, which may lack its leading zeros; a date without one; None without a date."""
    if not day or not day.strip("0"):
        return None
    try:
        on = date(int(_digits(day, 8)[:4]), int(day[4:6]), int(day[6:]))
        if clock is None:
            return on
        digits = _digits(clock.zfill(6), 6)
        return datetime.combine(on, time(int(digits[:2]), int(digits[2:4]), int(digits[4:])))
    except ValueError:
        raise Unreadable(f"{day[:20]!r} and {(clock or '')[:20]!r} are not YYYYMMDD and HHMMSS") from None


def read_secondary_moment(day: str | None, clock: str | None) -> When:
    """As read_moment, for a time that only adds to an event: one that cannot be read or be true is no time."""
    try:
        at = read_moment(day, clock)
    except Unreadable:
        return None
    if isinstance(at, datetime):
        return place_in_zone(at)[0]
    return fixed_date(at)[0] if at else None


def settle_zone(local: When, gmt: When, gmt_offset: str | None, place: Location) -> tuple[When, TimeQuality]:
    """The local time with its offset, as sure as UPS leaves it.

    The first offset that the place can have is taken: the stated one, then local minus Greenwich. One of UPS's
    published examples has the sign of the latter wrong; it is not turned round, since that would be a guess.
    """
    if local is None and isinstance(gmt, datetime):
        return place_in_zone(gmt.replace(tzinfo=UTC))
    if not isinstance(local, datetime):
        return fixed_date(local) if local else (None, TimeQuality.NONE)
    if place_in_zone(local)[0] is None:
        return None, TimeQuality.NONE
    zone_country = place.region if place.country == "US" and place.region in _TERRITORIES else place.country
    for offset in _claimed_offsets(local, gmt, gmt_offset):
        if _can_have(zone_country, local.date(), offset):
            return place_in_zone(local.replace(tzinfo=timezone(offset)))
    return place_in_zone(local, zone_country)


def _claimed_offsets(local: datetime, gmt: When, gmt_offset: str | None) -> Iterator[timedelta]:
    stated = _read_offset(gmt_offset) if gmt_offset else None
    if stated is not None:
        yield stated
    if isinstance(gmt, datetime):
        yield timedelta(seconds=_QUARTER_SECONDS * round((local - gmt).total_seconds() / _QUARTER_SECONDS))


def _read_offset(written: str) -> timedelta | None:
    """An offset as UPS writes it: -05:00, and also -04.00 with a dot before the minutes."""
    sign, digits = written[0], written[1:].replace(":", "").replace(".", "")
    if sign not in "+-" or len(digits) not in (3, 4) or not (digits.isascii() and digits.isdigit()):
        return None
    digits = digits.zfill(4)
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if sign == "-" else size


def _can_have(country_code: str | None, day: date, offset: timedelta) -> bool:
    if not _WESTERNMOST <= offset <= _EASTERNMOST:
        return False
    known = _offsets_on(country_code or "", day)
    return not known or offset in known


@lru_cache(maxsize=4096)
def _offsets_on(country_code: str, day: date) -> frozenset[timedelta | None]:
    """Every offset in use in the country on that day, both of them where the clocks change; empty if unknown."""
    midnights = (datetime.combine(day, time()), datetime.combine(day, time()) + timedelta(days=1))
    zones = zones_of(country_code)
    return frozenset(at.replace(tzinfo=zone).utcoffset() for zone in zones for at in midnights)


def _digits(written: str, length: int) -> str:
    if len(written) != length or not (written.isascii() and written.isdigit()):
        raise ValueError(written)
    return written
