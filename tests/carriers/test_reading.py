"""Reading what nobody promised anything about."""

import json
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from carriers import reading
from carriers.base import Fault
from shipments.errors import Unreadable
from shipments.event import Event, TimeQuality
from shipments.milestone import Milestone

WINTER = datetime(2026, 1, 15, 10, 0)  # noqa: DTZ001 - the local time of a carrier that names no zone
SUMMER = datetime(2026, 7, 15, 10, 0)  # noqa: DTZ001


# ---- bodies


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32-le", "cp1252"])
def test_a_body_is_read_in_the_encoding_it_came_in(encoding: str) -> None:
    assert reading.load_json('{"ort": "Köln"}'.encode(encoding)) == {"ort": "Köln"}


@pytest.mark.requirement("M44")
@pytest.mark.parametrize(
    "body",
    [b"", b" \n", b"{", b"<x/>", b"NaN", b'{"x": Infinity}', b'{"x": 1}{', b"[" * 100_000, b'{"x": ' + b"9" * 5000],
)
def test_what_is_not_json_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        reading.load_json(body)


def test_a_body_is_read_up_to_the_limit_and_not_beyond() -> None:
    fits = b"[]".ljust(reading.LARGEST_BODY)
    assert reading.load_json(fits) == []
    with pytest.raises(Unreadable, match="bytes"):
        reading.load_json(fits + b" ")


# ---- values


@pytest.mark.parametrize("nothing", [None, "", "  ", "\x00", "&nbsp;", False, {}, []])
def test_nothing_is_written_in_many_ways(nothing: Any) -> None:
    assert reading.text(nothing) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" Lyon ", "Lyon"),
        (42, "42"),
        ("007", "007"),
        ("&#206;n tranzit", "În tranzit"),
        ("Exp&eacute;di&#xE9;", "Expédié"),
        ("M&S", "M&S"),
        ("AT&T; more", "AT&T; more"),
        ("a\x00b\tc", "a b c"),
        ("a&#0;b", "a\ufffdb"),
        ("a\ud800b", "a b"),
        ("a&#10;b", "a b"),
    ],
)
def test_a_text_is_one_printable_line(written: Any, meant: str) -> None:
    assert reading.text(written) == meant


def test_a_long_text_is_cut() -> None:
    assert len(reading.text("é" * 5000) or "") == reading.LONGEST_TEXT


@pytest.mark.parametrize(("written", "number"), [(" 1Z 9 ", "1Z 9"), (7766, "7766"), ("0012", "0012")])
def test_a_tracking_number_is_kept_as_it_is_printed(written: Any, number: str) -> None:
    assert reading.tracking_number(written) == number


@pytest.mark.parametrize("wrong", [None, "", [], True, "9" * 65])
def test_what_cannot_be_a_tracking_number_is_unreadable(wrong: Any) -> None:
    with pytest.raises(Unreadable):
        reading.tracking_number(wrong)


@pytest.mark.parametrize(("written", "code"), [("de", "DE"), (" US ", "US"), ("USA", None), ("D1", None), ("ÄÖ", None)])
def test_a_country_is_two_letters_or_nothing(written: str, code: str | None) -> None:
    assert reading.country(written) == code


def test_a_lone_object_is_a_list_of_one_and_a_missing_list_is_empty() -> None:
    assert reading.as_list({"x": 1}, "items") == [{"x": 1}]
    assert reading.as_list(None, "items") == []


@pytest.mark.parametrize(("wrong", "kind"), [("x", "a text"), (7, "a number"), (True, "true or false")])
def test_a_value_of_the_wrong_kind_is_named_with_its_place(wrong: Any, kind: str) -> None:
    with pytest.raises(Unreadable, match=f"items is {kind}, not a list"):
        reading.as_list(wrong, "items")
    with pytest.raises(Unreadable, match=f"item is {kind}, not an object"):
        reading.as_object(wrong, "item")


def test_digging_stops_where_there_is_no_object() -> None:
    assert reading.dig({"a": {"b": 7}}, "a", "b") == 7
    assert reading.dig({"a": [7]}, "a", "b") is None
    assert reading.dig({"a": {"b": 7}}, "a", "b", "c") is None


# ---- times


@pytest.mark.requirement("M24")
@pytest.mark.parametrize(
    ("country", "winter_hours", "summer_hours"),
    [("DE", 1, 2), ("GB", 0, 1), ("JP", 9, 9), ("IN", 5.5, 5.5)],
)
def test_a_country_with_one_offset_gives_it(country: str, winter_hours: float, summer_hours: float) -> None:
    for at, hours in ((WINTER, winter_hours), (SUMMER, summer_hours)):
        when, quality = reading.place_in_zone(at, country)
        assert isinstance(when, datetime)
        assert (when.utcoffset(), quality) == (timedelta(hours=hours), TimeQuality.ASSUMED)


@pytest.mark.requirement("M24")
@pytest.mark.parametrize("country", ["ES", "US", "AU", "BR", "ZZ", "", None])
def test_a_country_with_several_offsets_or_an_unknown_one_leaves_the_time_local(country: str | None) -> None:
    assert reading.place_in_zone(WINTER, country) == (WINTER, TimeQuality.LOCAL)


def test_a_documented_zone_is_taken_before_the_country() -> None:
    when, quality = reading.place_in_zone(SUMMER, "US", "Europe/Amsterdam")
    assert isinstance(when, datetime)
    assert (when.utcoffset(), quality) == (timedelta(hours=2), TimeQuality.ASSUMED)


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("2026-01-15T10:00:00Z", 0),
        ("2026-01-15T10:00:00+0200", 2),
        ("2026-01-15T10:00:00+08:30", 8.5),
        ("2026-01-15T10:00:00.1234567-05:00", -5),
        ("2026-01-15 10:00:00+14:00", 14),
    ],
)
def test_a_stated_offset_is_exact(written: str, hours: float) -> None:
    when, quality = reading.iso_moment(written, "DE")
    assert isinstance(when, datetime)
    assert (when.utcoffset(), quality) == (timedelta(hours=hours), TimeQuality.EXACT)


@pytest.mark.parametrize("offset", ["-12:30", "+14:15", "+23:59"])
def test_an_impossible_offset_is_unreadable(offset: str) -> None:
    with pytest.raises(Unreadable, match="impossible"):
        reading.iso_moment(f"2026-01-15T10:00:00{offset}")


@pytest.mark.parametrize("wrong", ["yesterday", "2026-02-30", "2026-01-15T25:00:00", "15.01.2026", "20260115T"])
def test_what_is_no_iso_time_is_unreadable(wrong: str) -> None:
    with pytest.raises(Unreadable, match="ISO 8601"):
        reading.iso_moment(wrong)


def test_a_date_is_not_given_a_time() -> None:
    assert reading.iso_moment("2026-01-15", "DE") == (date(2026, 1, 15), TimeQuality.DATE)


@pytest.mark.parametrize(
    "nothing", [None, "", "0001-01-01", "1970-01-01T00:00:00Z", "9999-12-31T23:59:59", "1999-12-31"]
)
def test_no_time_is_written_in_many_ways(nothing: Any) -> None:
    assert reading.iso_moment(nothing) == (None, TimeQuality.NONE)


# ---- lists


@pytest.mark.requirement("M44")
def test_one_unreadable_item_costs_nothing_but_itself() -> None:
    def read(item: Any) -> list[Event]:
        number = reading.tracking_number(item)
        return [Event(carrier="acme", tracking_number=number, milestone=Milestone.UNKNOWN, code="X")]

    result = reading.read_each(["A1", None, "A3"], "parcels", read)
    assert [event.tracking_number for event in result.events] == ["A1", "A3"]
    assert result.faults == (Fault("parcels[1]", "there is no tracking number"),)


def test_an_error_of_our_own_is_not_hidden_in_a_list() -> None:
    with pytest.raises(KeyError):
        reading.read_each([{}], "parcels", lambda item: [item["events"]])


def test_every_number_json_knows_becomes_text_or_is_refused() -> None:
    for written in ("1e400", "-0", "1.50", "123456789012345678901234567890"):
        assert reading.text(reading.load_json(json.dumps([1]).replace("1", written).encode())[0])
