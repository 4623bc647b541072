"""What every carrier's folder must keep, whoever wrote it: found by its presence, held to the same checks."""

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType
from typing import Any
from xml.etree.ElementTree import Element, fromstring, tostring

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import carriers
from carriers.base import Answer, Carrier, Message, Reading, Request
from carriers.codes import CodeTable
from carriers.proof import NotPushed
from carriers.reading import LARGEST_BODY
from carriers.registry import find_carrier, folder_names
from shipments.errors import SetupFault, Unreadable
from shipments.event import Event, TimeQuality
from shipments.milestone import Milestone
from tests.carriers.proving import (
    NOW,
    check_another_body_is_refused,
    check_every_part_counts,
    check_missing,
    check_nobody_without_a_secret,
    check_others_are_refused,
    check_rotation,
    check_stale,
    check_what_is_proven_is_let_in,
    is_let_in,
    plain,
)

FOLDER = Path(carriers.__file__).parent
ILL_FORMED = [
    b"null",
    b"true",
    b"7",
    b'"text"',
    b"[]",
    b"{}",
    b"[null]",
    b"[[]]",
    b"[7]",
    b'{"x": {}}',
    b"<x/>",
    b"NaN",
]
NO_TEXT = [b"\xff", b"\x80\x81", b"\xc3(", b"\x00", b"\xed\xa0\x80"]
WRONG_KINDS: list[Any] = [None, True, False, 0, -1.5, 10**30, [], [None], {}, {"x": 1}, "", "text"]
WRONG_TEXTS: list[Any] = [
    " ", "string", "\x00", "\ud800", "&#0;", "&#xD800;", "é" * 5000,
    "0001-01-01T00:00:00", "9999-12-31T23:59:59-12:00", "2024-02-30T10:00:00", "2024-02-03T10:00:00+23:59", "99999999",
]  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """One <case>.in.<ext> of a carrier, with the headers beside it."""

    carrier: str
    path: Path

    @property
    def case(self) -> str:
        return self.path.name.partition(".in.")[0]

    @property
    def is_json(self) -> bool:
        return self.path.suffix == ".json"

    @property
    def is_xml(self) -> bool:
        return self.path.suffix == ".xml"

    @property
    def is_polled(self) -> bool:
        return self.path.name.startswith("poll")

    def message(self, body: bytes | None = None) -> Message:
        beside = self.path.with_name(f"{self.case}.headers.json")
        headers = json.loads(beside.read_text(encoding="utf-8")) if beside.exists() else {}
        return Message(self.path.read_bytes() if body is None else body, headers)

    def expected(self) -> list[dict[str, Any]]:
        beside = self.path.with_name(f"{self.case}.out.json")
        if not beside.exists():
            command = f".venv/bin/milepost parse {self.carrier} {shown(self.path)} > {shown(beside)}"
            pytest.fail(
                f"there is no meaning of it yet: make it, then read it line by line\n  {command}", pytrace=False
            )
        return list(json.loads(beside.read_text(encoding="utf-8")))


def samples_of(name: str) -> list[Sample]:
    return [Sample(name, path) for path in sorted((FOLDER / name / "samples").glob("*.in.*"))]


def first_sample(name: str, *, pushed: bool = False) -> Sample:
    """The first sample, or the first that is pushed; a test that needs one fails with what to write."""
    found = [sample for sample in samples_of(name) if not (pushed and sample.is_polled)]
    if not found:
        which = "no message that is pushed" if samples_of(name) else "no message yet"
        pytest.fail(f"carriers/{name}/samples has {which}: write a <case>.in.json (or .xml, .csv)", pytrace=False)
    return found[0]


def shown(path: Path) -> str:
    return str(path.relative_to(FOLDER.parent))


NAMES = folder_names()
SAMPLES = [sample for name in NAMES for sample in samples_of(name)]
JSON_SAMPLES = [sample for sample in SAMPLES if sample.is_json]
XML_SAMPLES = [sample for sample in SAMPLES if sample.is_xml]

each_carrier = pytest.mark.parametrize("carrier", NAMES, indirect=True)
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: f"{s.carrier}-{s.case}")
each_xml_sample = pytest.mark.parametrize("sample", XML_SAMPLES, ids=lambda s: f"{s.carrier}-{s.case}")
each_json_sample = pytest.mark.parametrize("sample", JSON_SAMPLES, ids=lambda s: f"{s.carrier}-{s.case}")


@pytest.fixture
def carrier(request: pytest.FixtureRequest) -> Carrier:
    return load(request.param)


def load(name: str) -> Carrier:
    found = find_carrier(name)
    assert found is not None
    return found


def parse(sample: Sample, body: bytes | None = None) -> Reading:
    return load(sample.carrier).parse(sample.message(body))


def parse_or_refuse(parser: Callable[[Message], Reading], message: Message) -> Reading | None:
    """The sound reading, or None where the parser says Unreadable; everything else fails the test."""
    try:
        reading = parser(message)
    except Unreadable as fault:
        said = str(fault)
    else:
        assert_sound(reading)
        return reading
    assert said, "Unreadable needs a sentence for a person"
    return None


def assert_sound(reading: Reading) -> None:
    assert isinstance(reading, Reading)
    assert reading.events or reading.faults or reading.notice, "nothing was read and nothing is said about it"
    for event in reading.events:
        assert_sound_event(event)


def assert_sound_event(event: Event) -> None:
    printed = event.to_dict()
    again = Event.from_dict(json.loads(json.dumps(printed)))
    assert again == event
    assert again.key == event.key
    assert event.tracking_number
    assert event.time_quality in expected_qualities(event.occurred_at)
    for text in texts_in(printed):
        assert not any(c < " " or "\ud800" <= c <= "\udfff" for c in text), f"{text!r} is not printable"


def expected_qualities(at: datetime | date | None) -> set[TimeQuality]:
    if at is None:
        return {TimeQuality.NONE}
    if not isinstance(at, datetime):
        return {TimeQuality.DATE}
    return {TimeQuality.EXACT, TimeQuality.ASSUMED} if at.tzinfo else {TimeQuality.LOCAL}


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts_in(item)


def slots_in(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in the JSON that holds a value, as (container, key or position)."""
    places: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in list(places):
        yield value, key
        yield from slots_in(item)


def distinct(slots: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """One slot of each kind: name and type of the value.

    The scans of a long history are alike; damaging each in every way takes minutes and finds what the first one finds.
    """
    kinds: dict[Any, tuple[Any, Any]] = {}
    for holder, key in slots:
        kinds.setdefault((key if isinstance(holder, dict) else "", type(holder[key])), (holder, key))
    return list(kinds.values())


def elements_in(root: Element) -> list[tuple[Element, Element]]:
    """One element of each name with its parent."""
    return list({child.tag: (parent, child) for parent in root.iter() for child in parent}.values())


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


# ---- the folder -------------------------------------------------------------------------------------------------


def test_there_are_carriers() -> None:
    assert NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_folder_declares_the_carrier_of_its_name(name: str) -> None:
    carrier = load(name)
    assert carrier.name == name
    assert carrier.title
    assert carrier.accepted_status in {200, 202, 204}


@each_carrier
def test_a_folder_has_a_readme_that_names_its_address_and_its_secret(carrier: Carrier) -> None:
    readme = (FOLDER / carrier.name / "README.md").read_text(encoding="utf-8")
    if "push" in carrier.transports:
        assert f"/in/{carrier.name}" in readme
        assert f"CARRIER_{carrier.name.upper()}_SECRETS" in readme
    left = [f"README.md:{n}: {line}" for n, line in enumerate(readme.splitlines(), 1) if "TODO" in line]
    assert not left, "still to be written:\n" + "\n".join(left)


@each_carrier
def test_nothing_of_the_template_is_left_in_a_folder(carrier: Carrier) -> None:
    for path in sorted((FOLDER / carrier.name).glob("*.py")):
        lines = path.read_text(encoding="utf-8").splitlines()
        left = [f"{path.name}:{n}: {line.strip()}" for n, line in enumerate(lines, 1) if "todo" in line.lower()]
        assert not left, "still the template's:\n" + "\n".join(left)


@each_carrier
def test_a_folder_says_how_its_messages_come_and_shows_each_way(carrier: Carrier) -> None:
    assert set(carrier.transports) <= {"push", "poll", "file"}
    assert carrier.poll is None or "poll" in carrier.transports
    ways = {"poll" if sample.is_polled else "push" for sample in samples_of(carrier.name)}
    assert ways, "there are no samples yet"
    assert "poll" not in carrier.transports or "poll" in ways, "no sample is named poll_*"
    assert "push" not in carrier.transports or "push" in ways, "every sample is named poll_*"


@each_carrier
def test_a_folder_has_at_least_six_samples_each_with_its_meaning(carrier: Carrier) -> None:
    samples = samples_of(carrier.name)
    assert len(samples) >= 6, f"there are {len(samples)} of the six or more samples; docs/carriers.md says which"
    assert all(isinstance(sample.expected(), list) for sample in samples)


@each_carrier
def test_a_greeting_never_fails(carrier: Carrier) -> None:
    bodies = [b"", b"\xff", b"null", *(s.path.read_bytes() for s in samples_of(carrier.name))]
    for method in ("GET", "HEAD", "POST"):
        for body in bodies:
            answer = carrier.greet(Request(method, {}, {}, body, NOW)) if carrier.greet else None
            assert answer is None or isinstance(answer, Answer)


# ---- the codes --------------------------------------------------------------------------------------------------


@each_carrier
@pytest.mark.requirement("M23", "M26")
def test_every_code_means_something_and_says_where_that_is_from(carrier: Carrier) -> None:
    assert len(carrier.codes) > 0, f"carriers/{carrier.name}/codes.csv has no code yet"
    assert len(CodeTable(FOLDER / carrier.name / "codes.csv")) == len(carrier.codes)


def test_every_fault_of_a_code_table_is_told_with_its_line(tmp_path: Path) -> None:
    table = tmp_path / "acme" / "codes.csv"
    table.parent.mkdir()
    rows = [
        "code,milestone,exception_category,meaning,source,note",
        "OK,delivered,,Delivered,the document,",
        "OK,delivered,,Listed again,the document,",
        ",delivered,,No code,the document,",
        "A,arrived,,No such milestone,the document,",
        "B,exception,bad_luck,No such category,the document,",
        "C,delivered,,No source,,",
        "D,delivered",
        "E,delivered,,One column,too,many,here",
    ]
    table.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(SetupFault) as caught:
        CodeTable(table)
    assert [fault.partition(" ")[0] for fault in caught.value.faults] == [f"acme/codes.csv:{n}:" for n in range(3, 10)]


@each_carrier
@pytest.mark.requirement("M30")
def test_a_code_without_a_mapping_is_unknown_and_keeps_its_words(carrier: Carrier) -> None:
    events = [event for sample in samples_of(carrier.name) for event in parse(sample).events]
    unknown = [event for event in events if event.milestone is Milestone.UNKNOWN]
    assert unknown, "no sample shows a code that is not in codes.csv: write one; its event has to be `unknown`"
    for event in unknown:
        found = carrier.codes.find(event.code_list, event.code)
        assert found is None or found.milestone is Milestone.UNKNOWN, f"{event.code_list}:{event.code} is mapped"
    assert any(event.code and event.description for event in unknown), "no unknown event keeps its code and its words"


# ---- the meaning ------------------------------------------------------------------------------------------------


@each_sample
@pytest.mark.requirement("M22", "M31")
def test_a_sample_means_exactly_what_is_written_beside_it(sample: Sample) -> None:
    reading = parse(sample)
    assert [event.to_dict() for event in reading.events] == sample.expected()
    assert all(event.carrier == sample.carrier for event in reading.events)
    assert_sound(reading)


@each_sample
def test_parsing_twice_gives_the_same_reading(sample: Sample) -> None:
    assert parse(sample) == parse(sample)


@each_json_sample
def test_the_order_of_keys_in_a_message_does_not_change_its_events(sample: Sample) -> None:
    body = json.dumps(reordered(json.loads(sample.path.read_bytes()))).encode()
    assert sorted(e.key for e in parse(sample, body).events) == sorted(e.key for e in parse(sample).events)


@each_json_sample
def test_the_encoding_of_a_message_does_not_change_its_meaning(sample: Sample) -> None:
    written = sample.path.read_text(encoding="utf-8")
    for encoding in ("utf-8-sig", "utf-16", "utf-16-le", "utf-32"):
        assert parse(sample, written.encode(encoding)) == parse(sample), encoding


@each_xml_sample
def test_the_encoding_of_an_xml_message_does_not_change_its_meaning(sample: Sample) -> None:
    written = sample.path.read_bytes().decode("utf-8-sig")
    without = re.sub(r"^<\?xml[^>]*\?>", "", written)
    for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32", "cp1252", "iso-8859-1"):
        declared = "" if encoding.startswith("utf") else f'<?xml version="1.0" encoding="{encoding}"?>'
        body = (declared + without).encode(encoding, "xmlcharrefreplace")
        assert parse(sample, body) == parse(sample), encoding


@each_xml_sample
@pytest.mark.requirement("M44")
def test_xml_with_a_document_type_is_unreadable(sample: Sample) -> None:
    written = re.sub(r"^<\?xml[^>]*\?>", "", sample.path.read_bytes().decode("utf-8-sig"))
    for doctype in ('<!DOCTYPE x [<!ENTITY a "aaaa">]>', '<!DOCTYPE x SYSTEM "file:///etc/passwd">'):
        with pytest.raises(Unreadable):
            parse(sample, (doctype + written).encode())


# ---- purity -----------------------------------------------------------------------------------------------------

IMPURE_CALLS = {
    "open", "time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "localtime", "gmtime", "urandom",
    "getrandom", "getenv", "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "Random.random",
}  # fmt: skip
IMPURE_MODULES = {"socket", "ssl", "subprocess", "random", "http.client", "psycopg", "redis", "requests"}


@contextmanager
def nothing_but_arithmetic() -> Iterator[None]:
    """Fails as soon as the code inside opens a file or a connection, or asks for the time or for chance."""
    touched: list[str] = []

    def notice(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and called.__qualname__ in IMPURE_CALLS:
            touched.append(called.__qualname__)
        elif event == "call" and frame.f_globals.get("__name__") in IMPURE_MODULES:
            touched.append(frame.f_code.co_qualname)

    before = sys.getprofile()
    sys.setprofile(notice)
    try:
        yield
    finally:
        sys.setprofile(before)
    assert not touched, f"parsing is pure, and this used {touched}"


@each_sample
def test_parsing_uses_neither_clock_nor_network_nor_files(sample: Sample) -> None:
    parser, message = load(sample.carrier).parse, sample.message()
    parser(message)  # the tables of time zones are read once and kept
    with nothing_but_arithmetic():
        parser(message)


# ---- damage -----------------------------------------------------------------------------------------------------


@each_carrier
@pytest.mark.requirement("M44")
def test_an_empty_body_is_unreadable(carrier: Carrier) -> None:
    for body in (b"", b" ", b"\r\n\t ", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf"):
        with pytest.raises(Unreadable):
            carrier.parse(Message(body))


@each_carrier
@pytest.mark.requirement("M44")
def test_a_huge_body_is_unreadable(carrier: Carrier) -> None:
    sample = first_sample(carrier.name)
    with pytest.raises(Unreadable):
        carrier.parse(sample.message(sample.path.read_bytes() + b" " * LARGEST_BODY))


@each_carrier
@pytest.mark.requirement("M44")
def test_a_deeply_nested_body_is_unreadable(carrier: Carrier) -> None:
    for opening in (b"[", b'{"x":', b'{"output":[', b"<x>"):
        with pytest.raises(Unreadable):
            carrier.parse(Message(opening * 50_000))
    assert parse_or_refuse(carrier.parse, Message(b"<x>" * 5000 + b"</x>" * 5000)) is None


@each_carrier
@pytest.mark.requirement("M44")
def test_a_body_of_another_shape_is_unreadable_or_accounted_for(carrier: Carrier) -> None:
    for body in ILL_FORMED:
        reading = parse_or_refuse(carrier.parse, Message(body))
        assert reading is None or not reading.events, body


@each_sample
@pytest.mark.requirement("M44")
def test_a_truncated_body_is_unreadable(sample: Sample) -> None:
    body = sample.path.read_bytes().rstrip()
    for cut in range(0, len(body), max(1, len(body) // 60)):
        reading = parse_or_refuse(load(sample.carrier).parse, sample.message(body[:cut]))
        assert reading is None or not sample.is_json


@each_sample
@pytest.mark.requirement("M44")
def test_bytes_that_are_no_text_do_no_harm(sample: Sample) -> None:
    parser, body = load(sample.carrier).parse, sample.path.read_bytes()
    for turn, at in enumerate(range(0, len(body), max(1, len(body) // 60))):
        parse_or_refuse(parser, sample.message(body[:at] + NO_TEXT[turn % len(NO_TEXT)] + body[at + 1 :]))


@each_json_sample
@pytest.mark.requirement("M44")
def test_a_value_of_another_kind_does_no_harm(sample: Sample) -> None:
    parser, headers = load(sample.carrier).parse, sample.message().headers
    whole = json.loads(sample.path.read_bytes())
    for holder, key in distinct(slots_in(whole)):
        kept = holder[key]
        for wrong in WRONG_KINDS if isinstance(kept, dict | list) else WRONG_KINDS + WRONG_TEXTS:
            holder[key] = wrong
            parse_or_refuse(parser, Message(json.dumps(whole).encode(), headers))
        holder[key] = kept


@each_json_sample
@pytest.mark.requirement("M44")
def test_a_missing_value_does_no_harm(sample: Sample) -> None:
    parser, headers = load(sample.carrier).parse, sample.message().headers
    whole = json.loads(sample.path.read_bytes())
    for holder, key in distinct(slot for slot in slots_in(whole) if isinstance(slot[0], dict)):
        kept = holder.pop(key)
        parse_or_refuse(parser, Message(json.dumps(whole).encode(), headers))
        holder[key] = kept


@each_xml_sample
@pytest.mark.requirement("M44")
def test_an_element_that_is_missing_or_says_something_else_does_no_harm(sample: Sample) -> None:
    parser, headers = load(sample.carrier).parse, sample.message().headers
    root = fromstring(sample.path.read_bytes())
    for parent, child in elements_in(root):
        place, words = list(parent).index(child), child.text
        for wrong in ("", "text", "0001-01-01T00:00:00", "99999999", "é" * 2000):
            child.text = wrong
            parse_or_refuse(parser, Message(tostring(root), headers))
        child.text = words
        parent.remove(child)
        parse_or_refuse(parser, Message(tostring(root), headers))
        parent.insert(place, child)


def keys_of(reading: Reading | None) -> set[Any]:
    return {event.key for event in reading.events} if reading else set()


def check_only_itself(sample: Sample, whole: Reading, without: Reading | None, damaged: Reading | None) -> None:
    """What is there with and without an entry is there beside the damaged one too; what is lost is accounted for."""
    survivors = keys_of(whole) & keys_of(without)
    assert survivors <= keys_of(damaged), "a damaged entry took others with it"
    if damaged and keys_of(whole) - keys_of(damaged):
        assert damaged.faults or damaged.notice, "an entry was lost in silence"


@each_json_sample
@pytest.mark.requirement("M44")
def test_a_damaged_event_or_parcel_costs_only_itself(sample: Sample) -> None:
    whole, value = parse(sample), json.loads(sample.path.read_bytes())
    parser, headers = load(sample.carrier).parse, sample.message().headers
    lists = [holder[key] for holder, key in slots_in({"body": value}) if isinstance(holder[key], list)]
    for entries in [found for found in lists if len(found) > 1 and isinstance(found[0], dict)]:
        for place in {0, len(entries) - 1}:
            kept = entries.pop(place)
            without = parse_or_refuse(parser, Message(json.dumps(value).encode(), headers))
            entries.insert(place, 7)
            damaged = parse_or_refuse(parser, Message(json.dumps(value).encode(), headers))
            entries[place] = kept
            check_only_itself(sample, whole, without, damaged)


@each_xml_sample
@pytest.mark.requirement("M44")
def test_a_damaged_element_costs_only_itself(sample: Sample) -> None:
    whole, root = parse(sample), fromstring(sample.path.read_bytes())
    parser, headers = load(sample.carrier).parse, sample.message().headers
    for parent in root.iter():
        children = [child for child in parent if len(child)]
        if len(children) > 1 and len({child.tag for child in children}) == 1:
            place, kept = list(parent).index(children[0]), children[0]
            parent.remove(kept)
            without = parse_or_refuse(parser, Message(tostring(root), headers))
            parent.insert(place, Element(kept.tag))
            damaged = parse_or_refuse(parser, Message(tostring(root), headers))
            parent[place] = kept
            check_only_itself(sample, whole, without, damaged)


scraps = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=30), st.datetimes().map(datetime.isoformat)
)
anything = st.recursive(
    scraps, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
)


@each_carrier
@pytest.mark.requirement("M44")
@settings(
    max_examples=40, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck)
)  # the same examples on every machine
@given(data=st.data())
def test_chance_finds_no_body_that_a_parser_cannot_stand(carrier: Carrier, data: st.DataObject) -> None:
    samples = [s for s in samples_of(carrier.name) if s.is_json]
    if not samples:
        first_sample(carrier.name)
        sample = data.draw(st.sampled_from(samples_of(carrier.name)))
        body = bytearray(sample.path.read_bytes())
        for _ in range(data.draw(st.integers(1, 6))):
            at = data.draw(st.integers(0, len(body) - 1))
            body[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=12))
        parse_or_refuse(carrier.parse, sample.message(bytes(body)))
        return
    sample = data.draw(st.sampled_from(samples))
    whole = json.loads(sample.path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        slots = list(slots_in(whole))
        if slots:
            holder, key = data.draw(st.sampled_from(slots))
            holder[key] = data.draw(anything)
    parse_or_refuse(carrier.parse, sample.message(json.dumps(whole).encode()))


# ---- the proof --------------------------------------------------------------------------------------------------


PUSHED = [name for name in NAMES if "push" in load(name).transports]
each_pushed = pytest.mark.parametrize("carrier", PUSHED, indirect=True)


def body_of(carrier: Carrier) -> bytes:
    """A sample that is pushed."""
    return first_sample(carrier.name, pushed=True).path.read_bytes()


@each_carrier
@pytest.mark.requirement("M43")
def test_a_carrier_that_pushes_proves_itself_and_no_other_is_let_in(carrier: Carrier) -> None:
    if carrier.name not in PUSHED:
        assert isinstance(carrier.proof, NotPushed), "what is not pushed is declared with proof=NotPushed()"
        assert not is_let_in(carrier.proof, plain(b"{}"), "a-secret")
        return
    assert carrier.proof.needs_secret, "an address alone proves nothing: join it with PathProof or another by AllOf"


@each_pushed
@pytest.mark.requirement("M43")
def test_what_the_carrier_proves_is_let_in(carrier: Carrier) -> None:
    check_what_is_proven_is_let_in(carrier.proof, body_of(carrier))


@each_pushed
@pytest.mark.requirement("M43")
def test_while_a_secret_is_rotated_both_are_let_in(carrier: Carrier) -> None:
    check_rotation(carrier.proof, body_of(carrier))


@each_pushed
@pytest.mark.requirement("M43")
def test_a_proof_made_with_another_secret_is_refused(carrier: Carrier) -> None:
    check_others_are_refused(carrier.proof, body_of(carrier))


@each_pushed
@pytest.mark.requirement("M43")
def test_a_missing_proof_is_refused(carrier: Carrier) -> None:
    check_missing(carrier.proof, body_of(carrier))


@each_pushed
@pytest.mark.requirement("M43")
def test_a_proof_with_a_part_missing_or_wrong_is_refused(carrier: Carrier) -> None:
    check_every_part_counts(carrier.proof, body_of(carrier))


@each_pushed
@pytest.mark.requirement("M43")
def test_nobody_is_let_in_without_a_secret(carrier: Carrier) -> None:
    check_nobody_without_a_secret(carrier.proof, body_of(carrier))


@pytest.mark.parametrize("carrier", [n for n in PUSHED if load(n).proof.covers_body], indirect=True)
@pytest.mark.requirement("M43")
def test_a_proof_of_one_body_does_not_prove_another(carrier: Carrier) -> None:
    check_another_body_is_refused(carrier.proof, body_of(carrier))


@pytest.mark.requirement("M43")
def test_a_stale_proof_is_refused() -> None:
    for carrier in [load(name) for name in PUSHED if load(name).proof.max_age]:
        check_stale(carrier.proof, body_of(carrier))


# ---- the checks themselves --------------------------------------------------------------------------------------


def ask_the_time() -> object:
    return datetime.now(UTC)


def read_a_file() -> object:
    return Path(__file__).read_bytes()


@pytest.mark.parametrize("impure", [ask_the_time, read_a_file])
def test_the_check_of_purity_notices_impure_code(impure: Callable[[], object]) -> None:
    with pytest.raises(AssertionError, match="parsing is pure"), nothing_but_arithmetic():
        impure()


def test_the_check_of_damage_notices_an_error_that_is_not_unreadable() -> None:
    def stumbling(message: Message) -> Reading:
        return Reading(notice=json.loads(message.body)["x"])

    with pytest.raises(TypeError):
        parse_or_refuse(stumbling, Message(b"null"))


def test_a_missing_sample_or_meaning_is_told_with_what_to_write() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"carriers/nobody/samples has no message yet: write a <case>"):
        first_sample("nobody")
    folder = FOLDER / "_template" / "samples"
    with pytest.raises(pytest.fail.Exception, match=r"milepost parse acme carriers/_template/samples/x.in.json > "):
        Sample("acme", folder / "x.in.json").expected()


def test_the_check_of_damage_notices_silence() -> None:
    with pytest.raises(AssertionError, match="nothing is said"):
        parse_or_refuse(lambda message: Reading(), Message(b"{}"))
