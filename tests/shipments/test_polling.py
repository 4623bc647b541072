"""When a carrier is asked about a parcel, and when that ends."""

from datetime import timedelta
from pathlib import Path

import pytest

from shipments.errors import SetupFault
from shipments.milestone import DEFINITIONS, Milestone, Phase
from shipments.rules.polling import Known, load_polling, plan
from tests.shipments.telling import START

SHIPPED = Path(__file__).parents[2] / "config" / "polling.toml"
TABLE = load_polling(SHIPPED, ())
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ENDS = [m for m in Milestone if DEFINITIONS[m].phase is Phase.END]


def known(milestone: str | None = "in_transit", told_ago: timedelta = HOUR, **more: object) -> Known:
    """A parcel that has been under way for three days and of which something was told so long ago."""
    if milestone is None:
        return Known(**{"since": START - told_ago, **more})
    told = {"milestone": Milestone(milestone), "started_at": START - 3 * DAY, "last_at": START - told_ago}
    return Known(**{"since": START - 3 * DAY, "news_at": START - told_ago, **told, **more})


def due_in(known_: Known) -> timedelta:
    planned = plan(known_, TABLE, START)
    assert planned.due_at is not None, planned.reason
    return planned.due_at - START


@pytest.mark.requirement("M32")
def test_a_parcel_on_the_vehicle_is_asked_about_more_often_than_one_that_is_only_announced():
    asked = {m: due_in(known(m, told_ago=timedelta(0))) for m in ("out_for_delivery", "in_transit", "label_created")}
    assert asked["out_for_delivery"] < asked["in_transit"] < asked["label_created"]


@pytest.mark.requirement("M75", "X6")
@pytest.mark.parametrize("milestone", ENDS)
def test_what_has_come_to_an_end_is_never_asked_about(milestone):
    assert plan(known(milestone), TABLE, START).due_at is None


@pytest.mark.requirement("M135", "M75")
def test_a_parcel_that_is_pushed_is_asked_about_only_after_a_silence():
    assert due_in(known(told_ago=HOUR, pushed=True)) == TABLE.otherwise.silence - HOUR
    assert due_in(known(told_ago=3 * DAY, pushed=True)) < timedelta(0)
    assert due_in(known(told_ago=3 * DAY, pushed=True, asked_at=START - HOUR)) == TABLE.otherwise.silence - HOUR
    assert due_in(known(told_ago=HOUR, pushed=False)) == TABLE.otherwise.ask_every - HOUR


@pytest.mark.requirement("X6")
@pytest.mark.parametrize(
    ("parcel", "reason"),
    [
        (known(told_ago=31 * DAY, since=START - 31 * DAY), "silent"),
        (known(started_at=START - 121 * DAY), "expired"),
        (known(None, told_ago=22 * DAY), "never known"),
    ],
)
def test_asking_ends_by_itself_and_says_why(parcel, reason):
    planned = plan(parcel, TABLE, START)
    assert planned.due_at is None
    assert planned.reason.startswith(reason)


def test_a_number_nothing_is_known_of_is_asked_about_at_once_and_then_ever_less_often():
    assert due_in(known(None)) == timedelta(0)
    gaps = []
    at, asked_at, since = START, None, START
    while (planned := plan(Known(since, asked_at), TABLE, at)).due_at:
        gaps += [planned.due_at - asked_at] if asked_at else []
        at = asked_at = planned.due_at
    assert gaps == sorted(gaps)
    assert gaps[0] == 6 * HOUR
    assert len(gaps) <= 15
    assert at - since > 15 * DAY


@pytest.mark.requirement("M75")
def test_a_usual_parcel_that_nobody_pushes_costs_few_calls_and_never_more_than_ten_in_a_day():
    steps = {0: "label_created", 20: "picked_up", 30: "in_transit", 64: "out_for_delivery", 72: "delivered"}
    at, asked = START, []
    while True:
        hour = max(h for h in steps if START + h * HOUR <= at)
        stands = known(
            steps[hour], since=START, started_at=START, last_at=START + hour * HOUR, news_at=START, asked_at=at
        )
        planned = plan(stands, TABLE, at)
        if planned.due_at is None:
            break
        asked.append(planned.due_at)
        at = planned.due_at
    assert len(asked) <= 15
    assert all(sum(first <= one < first + DAY for one in asked) <= 10 for first in asked)


def test_a_journey_that_ended_long_before_is_another_parcels():
    old = known("delivered", told_ago=100 * DAY)
    assert plan(old, TABLE, START).due_at is not None
    recent = known("delivered", told_ago=100 * DAY, since=START - 90 * DAY)
    assert plan(recent, TABLE, START).due_at is None


def test_every_milestone_on_the_way_has_a_pace():
    for milestone in Milestone:
        assert TABLE.pace(milestone).ask_every >= timedelta(minutes=15)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("[otherwise]", "[otherwize]", "'otherwize' is no part of the table"),
        ("[otherwise]", "[otherwize]", "[otherwise] is missing"),
        ("silence_hours = 48", "silence_hours = -1", "silence_hours must be a number above zero"),
        ("silence_hours = 48", "silence_hours = true", "silence_hours must be a number above zero"),
        ("[milestone.lost]", "[milestone.delivered]", "'delivered' is no milestone that is asked about"),
        ("[milestone.lost]", "[milestone.lostt]", "'lostt' is no milestone that is asked about"),
        ("silent_days = 30", "silent_day = 30", "'silent_day' means nothing here"),
        ("[delivery_methods]", '[delivery_methods]\n"By Road" = "nobody"', "'nobody' is no carrier"),
        ("[stop]", "[stop", "Expected ']'"),
    ],
)
def test_a_fault_in_the_table_is_told_with_its_line(tmp_path, old, new, fault):
    source = SHIPPED.read_text(encoding="utf-8")
    assert old in source
    file = tmp_path / "polling.toml"
    file.write_text(source.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SetupFault) as told:
        load_polling(file, ["somebody"])
    assert any(fault in sentence for sentence in told.value.faults)
    if "table" not in fault and "missing" not in fault and "Expected" not in fault:
        line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if text in new.splitlines()[-1:])
        assert any(sentence.startswith(f"polling.toml:{line}: ") for sentence in told.value.faults)


def test_a_delivery_method_names_its_carrier_in_any_case(tmp_path):
    file = tmp_path / "polling.toml"
    file.write_text(SHIPPED.read_text(encoding="utf-8") + '"By Road" = "somebody"\n', encoding="utf-8")
    assert load_polling(file, ["somebody"]).methods == {"by road": "somebody"}
