"""Sources that are described and not written."""

import contextlib
import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carriers import registry
from carriers.base import Carrier, Message
from carriers.detect import LIKELY, Guess, likeliest
from carriers.sources import check_source, load_source
from shipments.errors import SetupFault, Unreadable
from shipments.event import Event, Leg, TimeQuality
from shipments.milestone import ExceptionCategory, Milestone
from tests.carriers import proving

pytestmark = pytest.mark.requirement("M36", "M37", "M40", "M82")

JSON = """
title = "Nordwind 3PL"
format = "generic_json"
parcels = "consignments[]"
events = "history[?!planned]"

[parcel]
tracking_number = "ids.tracking || number"
is_return = "direction == 'back'"
estimated_delivery_at = "eta"

[event]
code = "state"
description = "words"
occurred_at = "at"
city = "place.town"
country = "place.country"

[references]
order = "order_no"

[time]
shapes = ["%d.%m.%Y %H:%M", "iso"]
zone = "Europe/Oslo"

[codes]
LEFT_DOCK = "picked_up"
HANDED_OVER = "delivered"
STOPPED = { milestone = "customs_clearance", exception_category = "customs_hold" }

[proof]
scheme = "hmac"
header = "X-Nordwind-Signature"
encoding = "hex"
"""

CSV = """
format = "generic_csv"
[parcel]
tracking_number = "Parcel No"
[event]
code = "Status"
occurred_at = "When"
[time]
shapes = ["%d/%m/%Y"]
[codes]
"10" = "delivered"
"""

BODY = b"""{"consignments": [
  {"number": 7001, "order_no": "SO1", "direction": "out", "eta": "2026-03-05", "history": [
    {"state": "LEFT_DOCK", "words": "On its way", "at": "02.03.2026 10:00",
     "place": {"town": "Oslo", "country": "NOR"}},
    {"state": "STOPPED", "at": "2026-03-03T08:00:00+01:00"},
    {"state": "ON_FIRE", "at": "03.03.2026 09:00"},
    {"state": "HANDED_OVER", "at": "04.03.2026 09:00", "planned": true},
    {"state": "HANDED_OVER", "at": "whenever"}]},
  {"history": []},
  {"number": "7002", "direction": "back", "history": [{"state": "HANDED_OVER", "at": "02.03.2026 10:00"}]}]}"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "nordwind.toml"
    path.write_text(JSON, encoding="utf-8")
    return path


@pytest.fixture
def carrier(source: Path) -> Carrier:
    return load_source(source)


def test_a_described_source_says_what_a_written_one_would(carrier: Carrier) -> None:
    reading = carrier.parse(Message(BODY))
    assert [(e.tracking_number, e.milestone.value) for e in reading.events] == [
        ("7001", "picked_up"),
        ("7001", "customs_clearance"),
        ("7001", "unknown"),
        ("7002", "returned"),
    ]
    first, held, _, back = reading.events
    assert isinstance(first.occurred_at, datetime)
    assert (first.occurred_at.utcoffset(), first.time_quality) == (timedelta(hours=1), TimeQuality.ASSUMED)
    assert (first.location.city, first.location.country, first.description) == ("Oslo", "NO", "On its way")
    assert first.references[0].value == "SO1"
    assert held.exception_category is ExceptionCategory.CUSTOMS_HOLD
    assert held.time_quality is TimeQuality.EXACT
    assert (back.leg, back.milestone) == (Leg.RETURN, Milestone.RETURNED)


def test_a_damaged_event_and_a_damaged_parcel_cost_themselves(carrier: Carrier) -> None:
    assert [fault.where for fault in carrier.parse(Message(BODY)).faults] == ["parcels[0].events[3]", "parcels[1]"]


def test_an_expression_that_fails_on_a_parcel_costs_that_parcel(source: Path) -> None:
    source.write_text(JSON.replace("history[?!planned]", "sort_by(history, &at)"), encoding="utf-8")
    body = b"""{"consignments": [
      {"number": "A1", "history": [{"state": "LEFT_DOCK", "at": "02.03.2026 10:00"}, {"state": "LEFT_DOCK", "at": 7}]},
      {"number": "A2", "history": [{"state": "LEFT_DOCK", "at": "02.03.2026 10:00"}]}]}"""
    reading = load_source(source).parse(Message(body))
    assert [event.tracking_number for event in reading.events] == ["A2"]
    assert [fault.where for fault in reading.faults] == ["parcels[0]"]


def test_its_proof_is_the_scheme_that_is_named(carrier: Carrier) -> None:
    proving.check_what_is_proven_is_let_in(carrier.proof, BODY)
    proving.check_every_part_counts(carrier.proof, BODY)
    proving.check_another_body_is_refused(carrier.proof, BODY)


def test_a_table_has_an_event_a_row_and_a_bad_row_costs_itself(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.toml"
    path.write_text(CSV, encoding="utf-8")
    reading = load_source(path).parse(
        Message(b"Parcel No;Status;When\nA1;10;04/05/2026\nA2;10;never\nA3;99;04/05/2026\n")
    )
    assert [(e.tracking_number, e.milestone.value) for e in reading.events] == [("A1", "delivered"), ("A3", "unknown")]
    assert [fault.where for fault in reading.faults] == ["line 3"]


def test_what_is_not_pushed_has_no_proof_and_lets_nobody_in(tmp_path: Path) -> None:
    path = tmp_path / "warehouse.toml"
    path.write_text(CSV, encoding="utf-8")
    carrier = load_source(path)
    assert carrier.transports == ("file",)
    assert not proving.is_let_in(carrier.proof, proving.plain(BODY), "s")


@pytest.mark.parametrize(
    ("wrong", "right", "line", "said"),
    [
        ("generic_yaml", '"generic_json"', 3, "format is one of generic_json, generic_csv"),
        ("consignments[", '"consignments[]"', 4, "parcels is no JMESPath"),
        ("", '"ids.tracking || number"', 8, "tracking_number is empty"),
        ("%d.%Q", '"%d.%m.%Y %H:%M"', 23, "%Q is no part of a time"),
        ("Europe/Atlantis", '"Europe/Oslo"', 24, "no zone of the IANA list"),
        ("arrived", '"picked_up"', 27, "'arrived' is no milestone"),
        ("secret", '"hmac"', 32, "scheme: is one of"),
        ("base32", '"hex"', 34, "encoding: is one of hex, base64"),
    ],
)
def test_a_fault_is_named_by_its_line(source: Path, wrong: str, right: str, line: int, said: str) -> None:
    assert JSON.count(right) == 1
    source.write_text(JSON.replace(right, f'"{wrong}"'), encoding="utf-8")
    (fault,) = check_source(source)
    assert fault.startswith(f"{source}:{line}: ")
    assert said in fault


def test_all_faults_are_told_at_once(source: Path) -> None:
    source.write_text(JSON.replace("Oslo", "x").replace("picked_up", "y") + 'surplus = 1\n[event2]\na = "b"\n')
    assert len(check_source(source)) == 4


@pytest.mark.parametrize("broken", ["format = ", "[codes]\n[codes]\n", "a = 1\na = 2\n"])
def test_what_is_no_toml_is_said_with_its_line(source: Path, broken: str) -> None:
    source.write_text(broken, encoding="utf-8")
    assert check_source(source)[0].startswith(f"{source}:")


def test_a_secret_in_the_address_asks_for_networks_beside_it(source: Path) -> None:
    start = JSON[: JSON.index("[proof]")]
    source.write_text(start + '[proof]\nscheme = "path"\n')
    assert "addresses" in check_source(source)[0]
    source.write_text(start + '[proof]\nscheme = "path"\naddresses = ["192.0.2.0/24"]\n')
    assert check_source(source) == []


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["consignments", "history", "state", "at", "number", "x"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(value=anything)
@pytest.mark.requirement("M44")
def test_chance_finds_no_body_that_a_described_source_cannot_stand(
    tmp_path_factory: pytest.TempPathFactory, value: object
) -> None:

    path = tmp_path_factory.getbasetemp() / "chance.toml"
    path.write_text(JSON, encoding="utf-8")
    with contextlib.suppress(Unreadable):
        load_source(path).parse(Message(json.dumps({"consignments": value}).encode()))


# ---- who carries a parcel


UPS, SIXTEEN, NOTHING = "1Z999AA10123456784", "12345678901234", "NOTHING"


DETECT = 'carrier = "detect"\n'


def said_of(source: Path, number: str, by: str | None = None, rest: str = DETECT) -> list[tuple[str, str]]:
    """What the event of that number says of who carries it."""
    parcel = JSON.replace("[parcel]\n", '[parcel]\ncarrier = "by"\n')
    source.write_text(rest.partition("[")[0] + parcel + "".join(rest.partition("[")[1:]), encoding="utf-8")
    history = [{"state": "LEFT_DOCK", "at": "02.03.2026 10:00"}]
    body = {"consignments": [{"number": number, "by": by, "order_no": "SO1", "history": history}]}
    (event,) = load_source(source).parse(Message(json.dumps(body).encode())).events
    assert event.carrier == "nordwind", "who told us"
    return [(r.type, r.value) for r in event.references if r.type != "order"]


@pytest.mark.requirement("X3")
def test_a_carrier_is_guessed_from_the_number_and_marked_as_a_guess_with_the_candidates(source: Path) -> None:
    because = "1Z with its check digit"
    assert said_of(source, UPS) == [("carrier_guess", "ups"), ("carrier_candidate", f"ups 0.95: {because}")]


@pytest.mark.requirement("X3")
def test_a_number_that_fits_several_or_none_stays_unguessed(source: Path) -> None:
    assert said_of(source, NOTHING) == [("carrier_guess", "unknown")]
    (guess, *candidates) = said_of(source, SIXTEEN)
    assert guess == ("carrier_guess", "unknown")
    assert candidates
    alike = (Guess("dpd", LIKELY, "a"), Guess("gls", LIKELY, "b"))
    assert likeliest(alike) is None
    assert likeliest(alike[:1]) is alike[0]


@pytest.mark.requirement("X3")
def test_what_the_source_says_goes_before_its_patterns_and_those_before_a_guess(source: Path) -> None:
    patterns = 'carrier = "detect"\n[carriers]\n\'1Z.+\' = "landmark"\n'
    assert said_of(source, UPS, "Bring", patterns) == [("carrier", "Bring")]
    assert said_of(source, UPS, None, patterns) == [("carrier", "landmark")]
    assert said_of(source, NOTHING, None, patterns) == [("carrier_guess", "unknown")]
    assert said_of(source, UPS, None, 'carrier = "postnord"\n') == [("carrier", "postnord")]
    assert said_of(source, UPS, None, "") == []


@pytest.mark.requirement("X3")
def test_who_carries_it_is_no_part_of_what_makes_an_event_the_same(source: Path) -> None:
    def key(carrier: str) -> object:
        source.write_text(carrier + JSON, encoding="utf-8")
        return load_source(source).parse(Message(BODY)).events[0].key

    assert key('carrier = "detect"\n') == key('carrier = "ups"\n') == key("")


def test_faults_in_who_carries_a_parcel_are_named_by_their_lines(source: Path) -> None:
    source.write_text('carrier = "U P S"\n' + JSON + "[carriers]\n'1Z(' = \"ups\"\n'2Z' = \"detect\"\n")
    top, pattern, word = sorted(check_source(source), key=lambda fault: int(fault.split(":")[1]))
    assert top.startswith(f"{source}:1: 'U P S' is no carrier's name")
    assert "no regular expression" in pattern
    assert "stands at the top" in word


@pytest.mark.requirement("M15")
def test_a_source_tells_how_many_pieces_there_are(source: Path) -> None:
    parcel = JSON.replace("[parcel]\n", '[parcel]\npiece = "part"\npiece_count = "parts"\n')
    source.write_text(parcel, encoding="utf-8")
    for written, count in ((3, 3), ("12", 12), (1, None), ("many", None), (0, None), ("\u0664", None), (True, None)):
        history = [{"state": "LEFT_DOCK", "at": "02.03.2026 10:00"}]
        body = {"consignments": [{"number": "A1", "part": "1", "parts": written, "history": history}]}
        (event,) = load_source(source).parse(Message(json.dumps(body).encode())).events
        assert event.piece_count == count
        assert event.to_dict().get("piece_count") == count
        assert Event.from_dict(event.to_dict()) == event


# ---- beside the folders


@pytest.fixture
def listed(source: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MILEPOST_SOURCES", str(source.parent))
    registry.forget()
    yield source  # type: ignore[misc]
    monkeypatch.undo()
    registry.forget()


@pytest.mark.requirement("M63", "M90")
def test_a_source_stands_beside_the_folders(listed: Path) -> None:
    assert set(registry.folder_names()) < set(registry.carrier_names())
    found = registry.find_carrier("nordwind")
    assert found
    assert found.title == "Nordwind 3PL"


def test_a_source_cannot_take_the_name_of_a_carrier(listed: Path) -> None:
    listed.with_name(f"{registry.folder_names()[0]}.toml").write_text(JSON)
    registry.forget()
    with pytest.raises(SetupFault, match="rename the file"):
        registry.carrier_names()


HEADING = "carrier,code_list,code,milestone,exception_category,owner,reason\n"


@pytest.mark.requirement("M29", "M30", "M90")
def test_the_operator_maps_a_code_without_a_release(listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = listed.with_name("codes.csv")
    file.write_text(HEADING + "nordwind,,ON_FIRE,damaged,damaged,Kari,told by phone on 3 March\n")
    monkeypatch.setenv("MILEPOST_CODES", str(file))
    registry.forget()
    found = registry.find_carrier("nordwind")
    assert found
    assert found.parse(Message(BODY)).events[2].milestone is Milestone.DAMAGED
    assert found.codes.overridden == {"ON_FIRE"}


@pytest.mark.requirement("M30")
def test_every_fault_of_the_operators_file_is_told_with_its_line(listed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = listed.with_name("codes.csv")
    rows = ["nobody,,X,delivered,,Kari,why", "nordwind,,X,arrived,,Kari,why", "nordwind,,,delivered,,Kari,why"]
    rows += ["nordwind,,X,delivered,,,why", "nordwind,,X,delivered,,Kari,", "nordwind,,X"]
    file.write_text(HEADING + "\n".join(rows))
    monkeypatch.setenv("MILEPOST_CODES", str(file))
    registry.forget()
    with pytest.raises(SetupFault) as caught:
        registry.find_carrier("nordwind")
    assert [fault.split(":")[1] for fault in caught.value.faults] == ["2", "3", "4", "5", "6", "7"]
