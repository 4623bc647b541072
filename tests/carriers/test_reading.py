"""Reading what nobody promised anything about."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from carriers import reading
from carriers.base import Fault, Reading
from carriers.reading import times
from shipments.errors import Unreadable
from shipments.event import Event, Leg, ProofOfDelivery, Reference, TimeQuality
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


_ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(_ANY_JSON, st.booleans())
def test_json_is_read_as_it_was_written(value: Any, ascii_only: bool) -> None:
    assert repr(reading.load_json(json.dumps(value, ensure_ascii=ascii_only).encode())) == repr(value)


def _refuse(constant: str) -> None:
    raise ValueError(constant)


@given(
    st.lists(st.sampled_from([*'{}[]:,"\\-+.eE01 nt', "true", "null", "NaN", "\\ud83d", "ü", "99e99", "9" * 20, "\0"]))
)
def test_both_readers_of_json_agree(pieces: list[str]) -> None:
    body = "".join(pieces).encode()
    try:
        expected = json.loads(body, parse_constant=_refuse)
    except ValueError:
        with pytest.raises(Unreadable):
            reading.load_json(body)
    else:
        assert repr(reading.load_json(body)) == repr(expected)


def test_json_with_a_number_beyond_64_bits_keeps_its_digits() -> None:
    assert reading.load_json(b'{"n": [92055901755477000271990253, -9223372036854775809]}') == {
        "n": [92055901755477000271990253, -9223372036854775809]
    }


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


@pytest.mark.parametrize(
    ("written", "code"),
    [("de", "DE"), (" US ", "US"), ("USA", "US"), ("UK", "GB"), ("Deutschland", "DE"), ("ZZ", None), ("D1", None)],
)
def test_a_country_is_known_by_code_or_name_or_is_nothing(written: str, code: str | None) -> None:
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


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00\x00\xfe\xff\x00\x00\x00", b" \r\n\t"])
def test_a_body_is_markup_by_its_first_character_in_any_encoding(mark: bytes) -> None:
    assert reading.is_xml(mark + b"<x/>")
    assert not reading.is_xml(mark + b'{"x": "<x/>"}')


def test_references_are_those_that_say_something_in_their_order() -> None:
    named = [("order", 7), ("carrier", " "), ("customer", None), ("order", "B&amp;8"), ("parcel", {})]
    assert reading.as_references(iter(named)) == (Reference("order", "7"), Reference("order", "B&8"))


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


# ---- XML, forms and tables


def said(root: Any) -> Any:
    return reading.element_to_dict(root)


@pytest.mark.parametrize(
    ("declared", "encoding"),
    [("", "utf-8"), ("", "utf-8-sig"), ("", "utf-16"), ("", "utf-32"), ("", "cp1252")]
    + [(f'<?xml version="1.0" encoding="{e}"?>', e) for e in ("utf-8", "iso-8859-1", "windows-1252", "utf-16")],
)
def test_xml_is_read_in_the_encoding_it_came_in(declared: str, encoding: str) -> None:
    body = f"{declared}<ort>Köln</ort>".encode(encoding)
    assert reading.load_xml(body).text == "Köln"


def test_the_charset_of_the_content_type_goes_before_what_the_document_declares() -> None:
    body = '<?xml version="1.0" encoding="utf-8"?><ort>Köln</ort>'.encode("cp1252")
    assert reading.load_xml(body, "text/xml; charset=windows-1252").text == "Köln"


def test_xml_becomes_what_json_would_be() -> None:
    body = b'<s:a xmlns:s="urn:x" id="7"><s:b>1</s:b><s:b>2</s:b><c/><d t="x">words</d><e><f> y </f></e></s:a>'
    assert (
        said(reading.load_xml(body))
        == reading.load_xml_object(body)
        == {
            "@id": "7",
            "b": ["1", "2"],
            "c": None,
            "d": {"@t": "x", "#text": "words"},
            "e": {"f": "y"},
        }
    )


@pytest.mark.requirement("M44")
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a>",
        b"<a></b>",
        b'<!DOCTYPE a [<!ENTITY b "bb">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<?xml version="1.0" encoding="no-such"?><a/>',
        b"<a>&nbsp;</a>",
    ],
)
def test_what_is_no_plain_xml_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        reading.load_xml(body)


ENTITIES = (
    '[<!ENTITY a "aaaaaaaaaa">' + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in ("ab", "bc", "cd", "de")) + "]"
)
ATTACKS = [
    f"<!DOCTYPE x {ENTITIES}><x>&e;</x>",  # billion laughs
    f'<!DOCTYPE x [<!ENTITY a "{"a" * 5000}">]><x>{"&a;" * 500}</x>',  # quadratic blow-up
    '<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>',
    '<!DOCTYPE x [<!ENTITY % a SYSTEM "http://192.0.2.1/a.dtd"> %a;]><x/>',
    '<!DOCTYPE x SYSTEM "http://192.0.2.1/a.dtd"><x/>',
    '<!DOCTYPE x PUBLIC "-//A//B" "http://192.0.2.1/a.dtd"><x/>',
    '<!DOCTYPE x [<!NOTATION n SYSTEM "n"><!ENTITY a SYSTEM "a" NDATA n>]><x/>',
    '<!DOCTYPE x [<!ATTLIST x y CDATA "z">]><x/>',
    "<!DOCTYPE x><x/>",
    f"<!-- {'long' * 500} --><?pi {'longer' * 500}?><!DOCTYPE x {ENTITIES}><x>&e;</x>",
]  # fmt: skip


@pytest.mark.requirement("M44")
@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_a_document_type_is_refused_in_every_encoding(attack: str, encoding: str) -> None:
    with pytest.raises(Unreadable, match="document type"):
        reading.load_xml(attack.encode(encoding))
    assert reading.load_xml("<x>plain</x>".encode(encoding)).text == "plain"


@pytest.mark.requirement("M44")
@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "encoding", ["utf-7", "utf-16", "utf-16-le", "cp037", "cp500", "iso-8859-1", "shift_jis", "idna"]
)
def test_no_declared_encoding_gets_a_document_type_through(attack: str, encoding: str) -> None:
    declared = f'<?xml version="1.0" encoding="{encoding}"?>'
    bodies = [declared.encode() + attack.encode(), declared.encode("utf-16") + attack.encode("utf-16-le")]
    if encoding != "idna":
        bodies += [(declared + attack).encode(encoding), declared.encode() + attack.encode(encoding)]
    for body in bodies:
        for content_type in ("", f"text/xml; charset={encoding}"):
            with pytest.raises(Unreadable):
                reading.load_xml(body, content_type)


@pytest.mark.requirement("M44")
@pytest.mark.parametrize("attack", ATTACKS)
def test_what_defusedxml_refuses_is_refused(attack: str) -> None:
    with pytest.raises(DefusedXmlException):
        fromstring(attack, forbid_dtd=True)
    with pytest.raises(Unreadable, match="document type"):
        reading.load_xml(attack.encode())


@pytest.mark.requirement("M44")
def test_words_about_a_document_type_are_none() -> None:
    assert reading.load_xml(b"<!-- !DOCTYPE --><x><![CDATA[<!DOCTYPE x>]]></x>").text == "<!DOCTYPE x>"


@pytest.mark.requirement("M44")
def test_xml_that_is_nested_too_deeply_is_unreadable() -> None:
    for load in (reading.load_xml, reading.load_xml_object):
        assert load(b"<a>" * 60 + b"x" + b"</a>" * 60) is not None
        for depth in (61, 5000):
            with pytest.raises(Unreadable, match="deeply"):
                load(b"<a>" * depth + b"</a>" * depth)


def test_an_attribute_loses_its_namespace_and_keeps_its_value() -> None:
    body = b'<a xmlns:n="urn:n" n:id="{7}" xml:lang="de" other="x"/>'
    assert reading.load_xml_object(body) == said(reading.load_xml(body)) == {"@id": "{7}", "@lang": "de", "@other": "x"}


def test_a_form_is_read_by_its_charset() -> None:
    assert reading.load_form(b"number=1Z&city=K%C3%B6ln&x=") == {"number": "1Z", "city": "Köln", "x": ""}
    with pytest.raises(Unreadable):
        reading.load_form(b"<html></html>")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_is_read_with_its_line_numbers_whatever_delimits_it(delimiter: str) -> None:
    body = "number,city\r\n1,Köln\r\n\r\n2\r\n".replace(",", delimiter).encode("cp1252")
    rows = [(line, row["number"], row["city"]) for line, row in reading.load_csv(body)]
    assert rows == [(2, "1", "Köln"), (4, "2", "")]


# ---- times in the shapes of carriers


@pytest.mark.requirement("M24")
@pytest.mark.parametrize(
    ("written", "shape", "printed"),
    [
        ("31-12-2025 23:59:01", "%d-%m-%Y %H:%M:%S", "2025-12-31T23:59:01"),
        ("8/7/2021 7:11:26 PM", "%m/%d/%Y %I:%M:%S %p", "2021-08-07T19:11:26"),
        ("12:18 am April 28, 2015", "%I:%M %p %B %d, %Y", "2015-04-28T00:18:00"),
        ("05.04.2016, 13:05", "%d.%m.%Y, %H:%M", "2016-04-05T13:05:00"),
        ("20210210 071356", "%Y%m%d %H%M%S", "2021-02-10T07:13:56"),
        ("20210210 1723", "%Y%m%d %H%M", "2021-02-10T17:23:00"),
        ("2021-02-10 07:13:56.1234567", "%Y-%m-%d %H:%M:%S.%f", "2021-02-10T07:13:56.123456"),
        ("2021-02-10T07:13:56+0200", "%Y-%m-%dT%H:%M:%S%z", "2021-02-10T07:13:56+02:00"),
        ("2021-02-10 07:13:56 UTC", "%Y-%m-%d %H:%M:%S %z", "2021-02-10T07:13:56+00:00"),
        ("2021-02-10 07:13 -04.00", "%Y-%m-%d %H:%M%z", "2021-02-10T07:13:00-04:00"),
        ("2021-07-10 07:13 EDT", "%Y-%m-%d %H:%M %z", "2021-07-10T07:13:00-04:00"),
        ("10.02.2021", "%d.%m.%Y", "2021-02-10"),
    ],
)
def test_a_time_is_read_in_its_documented_shape(written: str, shape: str, printed: str) -> None:
    when, _ = reading.moment(written, shape)
    assert when
    assert when.isoformat() == printed


@pytest.mark.parametrize(
    "wrong",
    ["13/13/2021 7:11:26 PM", "8/17/2021 13:11:26 PM", "8/17/2021", "2021-08-17 07:11:26", "٨/17/2021 7:11:26 PM"],
)
def test_a_time_in_another_shape_is_unreadable(wrong: str) -> None:
    with pytest.raises(Unreadable, match="shape"):
        reading.moment(wrong, "%m/%d/%Y %I:%M:%S %p")


_SIGNS = st.text("0123456789-:T W+Zé", min_size=19, max_size=19)
_NEARLY = st.datetimes().map(lambda at: at.isoformat(" ", "seconds"))


@given(
    _SIGNS | _NEARLY | st.tuples(_NEARLY, st.integers(0, 18), _SIGNS).map(lambda t: t[0][: t[1]] + t[2][: 19 - t[1]])
)
def test_the_quick_reader_of_a_shape_reads_what_the_careful_one_does(written: str) -> None:
    for shape in times._ISO_SHAPES:
        assert times._shape(shape)(written) == times._careful(shape)(written)


@pytest.mark.requirement("M24")
def test_a_time_in_a_shape_has_the_zone_of_its_place_and_is_assumed() -> None:
    when, quality = reading.moment("15-07-2026 10:00:00", "%d-%m-%Y %H:%M:%S", zone="Europe/Amsterdam")
    assert isinstance(when, datetime)
    assert (when.utcoffset(), quality) == (timedelta(hours=2), TimeQuality.ASSUMED)
    assert reading.moment("15-07-2026 10:00:00", "%d-%m-%Y %H:%M:%S")[1] is TimeQuality.LOCAL


@pytest.mark.requirement("M24")
@pytest.mark.parametrize(
    ("beside", "hours", "quality"),
    [
        ("-05:00", -5, TimeQuality.EXACT),
        ("-04.00", -4, TimeQuality.EXACT),
        ("EST", -5, TimeQuality.EXACT),
        ("Europe/Berlin", 2, TimeQuality.EXACT),
        (None, 2, TimeQuality.ASSUMED),
    ],
)
def test_an_offset_may_stand_beside_the_time(beside: str | None, hours: int, quality: TimeQuality) -> None:
    when, found = reading.with_offset(SUMMER, beside, "DE")
    assert isinstance(when, datetime)
    assert (when.utcoffset(), found) == (timedelta(hours=hours), quality)


@pytest.mark.parametrize("beside", ["+15:00", "XYZ", "../../etc/passwd", "Mars/Base", "5"])
def test_an_offset_nobody_knows_is_unreadable(beside: str) -> None:
    with pytest.raises(Unreadable):
        reading.with_offset(SUMMER, beside)


@pytest.mark.requirement("M24")
def test_on_the_day_the_clocks_change_the_time_of_day_decides() -> None:
    for hour, offset in ((1, 1), (4, 2)):
        when, _ = reading.place_in_zone(datetime(2026, 3, 29, hour), "DE")  # noqa: DTZ001
        assert isinstance(when, datetime)
        assert when.utcoffset() == timedelta(hours=offset)


def test_seconds_since_1970_are_an_instant() -> None:
    for written, milliseconds in ((1719299439, False), ("1719299439000", True)):
        when, quality = reading.epoch(written, milliseconds=milliseconds)
        assert when
        assert (when.isoformat(), quality) == ("2024-06-25T07:10:39+00:00", TimeQuality.EXACT)
    assert reading.epoch(0) == (None, TimeQuality.NONE)
    for wrong in ("soon", "1e400", "nan", "9" * 30):
        with pytest.raises(Unreadable):
            reading.epoch(wrong)


def test_midnight_may_mean_a_date() -> None:
    assert reading.date_if_midnight(*reading.iso_moment("2026-01-15T00:00:00Z")) == (
        date(2026, 1, 15),
        TimeQuality.DATE,
    )


@pytest.mark.parametrize(
    "nothing", [None, "", "soon", "2026-03-02", "2026-03-02T10:00:00", "9999-12-31T00:00:00Z", 17, {}]
)
def test_a_report_without_a_certain_instant_is_none_and_costs_nothing(nothing: Any) -> None:
    assert reading.reported_instant(nothing) is None


def test_a_report_is_an_instant_where_an_offset_is_stated() -> None:
    assert reading.reported_instant("2026-03-02T10:00:00+02:00") == datetime(2026, 3, 2, 8, tzinfo=UTC)


# ---- places


@pytest.mark.requirement("M25")
@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("USA", "US"),
        ("Germany", "DE"),
        ("ALLEMAGNE", "DE"),
        ("Espana", "ES"),
        ("United Kingdom", "GB"),
        ("Atlantis", None),
    ],
)
def test_a_country_is_found_by_its_name_in_several_languages(written: str, code: str | None) -> None:
    assert reading.country(written) == code


@pytest.mark.requirement("M25")
@pytest.mark.parametrize(
    ("written", "code"), [("DEHAM", "DEHAM"), ("nl rtm", "NLRTM"), ("ZZHAM", None), ("DEH1M", None), ("HAM", None)]
)
def test_a_unlocode_has_its_form_and_a_country(written: str, code: str | None) -> None:
    assert reading.unlocode(written) == code


# ---- parcels


@pytest.mark.requirement("M44")
def test_a_damaged_parcel_costs_nothing_but_itself() -> None:
    def read(item: Any, where: str) -> Any:
        event = Event(
            carrier="acme", tracking_number=reading.tracking_number(item), milestone=Milestone.UNKNOWN, code="X"
        )
        return Reading((event,), notice="told")

    result = reading.read_parts(["A1", None, "A3"], "parcels", read)
    assert [event.tracking_number for event in result.events] == ["A1", "A3"]
    assert result.faults == (Fault("parcels[1]", "there is no tracking number"),)
    assert result.notice == "told"
    with pytest.raises(Unreadable, match=r"parcels\[0\]"):
        reading.read_parts([None], "parcels", read)


@pytest.mark.requirement("M44")
def test_a_damaged_piece_or_estimate_is_a_fault_and_costs_nothing_else() -> None:
    assert reading.read_part({}, "pieces[1]", lambda value, where: Reading(notice=where)) == Reading(notice="pieces[1]")
    damaged = reading.read_part(None, "pieces[1]", lambda value, where: Reading(notice=reading.tracking_number(value)))
    assert damaged == Reading(faults=(Fault("pieces[1]", "there is no tracking number"),))
    day = date(2026, 3, 2)
    assert reading.read_beside("eta", lambda: reading.iso_moment("2026-03-02")[0]) == (day, ())
    nothing, faults = reading.read_beside("eta", lambda: reading.iso_moment("soon")[0])
    assert nothing is None
    assert [fault.where for fault in faults] == ["eta"]


# ---- what the events of a parcel say together

M = Milestone


def told(milestone: Milestone, day: int | None = None, **more: Any) -> Event:
    at = datetime(2026, 3, day, tzinfo=UTC) if day else None
    return Event(carrier="acme", tracking_number="A1", milestone=milestone, code="X", occurred_at=at, **more)


@pytest.mark.requirement("M16")
@pytest.mark.parametrize(
    ("milestone", "known", "leg", "meant"),
    [
        (M.IN_TRANSIT, Leg.OUTBOUND, Leg.OUTBOUND, M.IN_TRANSIT),
        (M.DELIVERED, Leg.OUTBOUND, Leg.OUTBOUND, M.DELIVERED),
        (M.RETURN_IN_TRANSIT, Leg.OUTBOUND, Leg.RETURN, M.RETURN_IN_TRANSIT),
        (M.RETURNED, Leg.OUTBOUND, Leg.RETURN, M.RETURNED),
        (M.IN_TRANSIT, Leg.RETURN, Leg.RETURN, M.IN_TRANSIT),
        (M.DELIVERED, Leg.RETURN, Leg.RETURN, M.RETURNED),
    ],
)
def test_an_event_is_on_the_way_back_if_it_or_the_parcel_says_so(
    milestone: Milestone, known: Leg, leg: Leg, meant: Milestone
) -> None:
    assert reading.leg_of(milestone, known) is leg
    assert reading.on_leg(milestone, leg) is meant


@pytest.mark.requirement("M16")
def test_after_a_return_was_decided_a_delivery_is_the_return_and_proves_nothing() -> None:
    proof = ProofOfDelivery("R. Lindqvist")
    history = [
        told(M.DELIVERED, 5, proof_of_delivery=proof),
        told(M.IN_TRANSIT, 4),
        told(M.RETURN_IN_TRANSIT, 3, leg=Leg.RETURN),
        told(M.DELIVERED, 2, proof_of_delivery=proof),
        told(M.DELIVERED),
    ]
    turned = reading.turned_back(history)
    assert [event.milestone for event in turned] == [
        M.RETURNED, M.IN_TRANSIT, M.RETURN_IN_TRANSIT, M.DELIVERED, M.DELIVERED,
    ]  # fmt: skip
    assert [event.leg for event in turned] == [*[Leg.RETURN] * 3, *[Leg.OUTBOUND] * 2]
    assert [event.proof_of_delivery for event in turned] == [None, None, None, proof, None]


def test_a_history_without_a_return_stays_as_it_is() -> None:
    history = (told(M.IN_TRANSIT, 1), told(M.DELIVERED, 2))
    assert reading.turned_back(history) == history
    assert reading.turned_back([]) == ()


def test_the_newest_event_is_by_its_instant_and_one_without_a_time_is_the_oldest() -> None:
    undated, first, last = told(M.DELIVERED), told(M.IN_TRANSIT, 1), told(M.OUT_FOR_DELIVERY, 2)
    assert reading.newest([first, last, undated]) is last
    assert sorted([last, undated, first], key=reading.order_of) == [undated, first, last]


def test_an_estimate_stands_with_the_newest_event_while_the_parcel_is_awaited() -> None:
    day = date(2026, 3, 9)
    first, last, over = told(M.PICKED_UP, 1), told(M.IN_TRANSIT, 2), told(M.DELIVERED, 3)
    expected = [event.estimated_delivery_at for event in reading.with_estimate([last, first], day)]
    assert expected == [day, None]
    for history, estimate in (((over, last), day), ((first, last), None), ((), day)):
        assert reading.with_estimate(history, estimate) == history
