"""A small form of `make chaos`, and what makes its figures worth believing."""

import random
from collections import Counter
from datetime import UTC, datetime
from types import SimpleNamespace
from uuid import uuid4

import pytest
import redis

from tests.chaos.faults import AWAY, CHILDREN_OF, Done, Plan, draw, empty, fill, one_after_another
from tests.chaos.figures import all_met, at_least, at_most, between, exactly
from tests.chaos.load import MOST_TIMES, make_load
from tests.chaos.odoo_state import differences, duplicates, shown
from tests.chaos.run import Ending, Report, judge, run
from tests.chaos.sender import Sent
from tests.fakes.odoo import FakeOdoo
from workers.odoo import setup
from workers.odoo.client import connect

PROCESSES = ("web", "worker", "act", "bulk", "beat", "flower")
KILLED = (*PROCESSES, "valkey", "postgres", *(f"a child of {name}" for name in CHILDREN_OF))
SMALL = Plan(
    posts=1_000,
    seconds=22,
    kills_each=1,
    odoo_away_seconds=4,
    odoo_trouble_seconds=2,
    odoo_troubles_each=1,
    disk_full_seconds=4,
    disk_full_times=1,
    cuts_each=1,
)
START = datetime(2026, 3, 2, tzinfo=UTC)
NUMBERS = [f"1Z999AA1{place:010d}" for place in range(40)]


@pytest.mark.requirement("M42", "M50", "M118")
def test_whatever_breaks_at_random_moments_nothing_is_lost_or_doubled_and_odoo_ends_as_after_a_quiet_run():
    report = run(SMALL, seed=1, say=print)
    assert all_met(report.figures), "\n".join(map(str, [*report.figures, *report.troubles]))


def test_a_seed_repeats_the_load_and_the_faults():
    def drawn(seed):
        chance = random.Random(seed)
        return make_load(NUMBERS, 1_000, START, chance), draw(SMALL, PROCESSES, chance)

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def test_each_event_is_sent_one_to_ten_times_in_no_order_and_something_unreadable_is_among_it():
    load = make_load(NUMBERS, 1_000, START, random.Random(3))
    times = Counter(post.body for post in load.posts)
    assert len(load.posts) >= 1_000
    assert set(times) == {event.body for event in load.events} | load.unreadable
    assert max(times[event.body] for event in load.events) <= MOST_TIMES
    assert {post.carrier for post in load.posts} == {"dhl_unified", "fedex", "ups"}
    assert list(load.posts) != sorted(load.posts, key=lambda post: post.number)
    assert len(load.unreadable) == 2


def test_every_process_and_both_servers_are_killed_as_often_as_planned():
    faults = draw(SMALL, PROCESSES, random.Random(3))
    kills = Counter(fault.target for fault in faults if fault.kind == "kill")
    assert kills == dict.fromkeys((*PROCESSES, "valkey", "postgres"), 1)
    assert Counter(f.target for f in faults if f.kind == "kill a child of") == dict.fromkeys(CHILDREN_OF, 1)
    assert [fault.seconds for fault in faults if fault.target == AWAY] == [4]
    assert max(fault.at + fault.seconds for fault in faults) <= SMALL.seconds


def test_where_no_disk_can_be_mounted_a_limit_of_memory_refuses_every_write(redis_url):
    with redis.Redis.from_url(redis_url) as valkey:
        site = SimpleNamespace(disk=None, valkey=valkey)
        fill(site)
        try:
            with pytest.raises(redis.exceptions.OutOfMemoryError):
                valkey.xadd("milepost:chaos", {"a": 1})
        finally:
            empty(site)
        assert valkey.xadd("milepost:chaos", {"a": 1})
        valkey.delete("milepost:chaos")


def test_spells_of_trouble_do_not_overlap():
    spells = list(one_after_another([("a", 3.0), ("b", 4.0), ("c", 1.0)], 10, random.Random(1)))
    ends = [at + seconds for at, _, seconds in spells]
    assert all(end <= at for end, (at, _, _) in zip(ends, spells[1:], strict=False))
    assert ends[-1] <= 10


@pytest.fixture(scope="module")
def odoo():
    """A stand-in with one delivery, made ready for Milepost."""
    with FakeOdoo() as fake:
        fake.seed(1)
        setup.apply(connect(fake.settings()))
        yield fake


def add_row(odoo):
    odoo.store.add("x_milepost_event", {"x_picking_id": 1, "x_name": "Delivered", "x_code": "FS"})


def test_a_row_of_the_timeline_that_stands_there_twice_is_found(odoo):
    site = SimpleNamespace(odoo=odoo, rows=lambda query: [])
    add_row(odoo)
    assert duplicates(site) == []
    add_row(odoo)
    assert [line.endswith("stands there 2 times") for line in duplicates(site)] == [True]


def test_a_task_that_nobody_decided_is_found(odoo):
    model = next(row["id"] for row in odoo.records("ir.model") if row["model"] == "stock.picking")
    odoo.store.add("mail.activity", {"res_model_id": model, "res_id": 1, "summary": "The delivery failed"})
    decided = SimpleNamespace(odoo=odoo, rows=lambda query: [(1, 1)])
    assert not [line for line in duplicates(decided) if "task" in line]
    nobody = SimpleNamespace(odoo=odoo, rows=lambda query: [])
    assert [line for line in duplicates(nobody) if "task" in line] == ["delivery 1 has 1 tasks"]


def test_what_odoo_shows_of_a_delivery_is_compared_field_by_field(odoo):
    before = shown(odoo)
    odoo.store.change("stock.picking", [1], {"x_milepost_location": "Memphis"})
    assert differences(shown(odoo), before) == ["WH/OUT/00001 x_milepost_location: 'Memphis', quietly False"]


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        (exactly("lost", 1, 0), "lost: 1 (bar 0) short"),
        (exactly("lost", 0, 0), "lost: 0 (bar 0) met"),
        (at_least("acknowledged", 9, 10), "acknowledged: 9 (bar at least 10) short"),
        (at_most("time to recover", 3.5, 90, " s"), "time to recover: 3.5 s (bar at most 90 s) met"),
        (between("parked", 5, 2, 4), "parked: 5 (bar 2 to 4) short"),
    ],
)
def test_a_figure_says_whether_its_bar_is_met(figure, line):
    assert str(figure) == line
    assert all_met([figure]) == line.endswith("met")


def test_two_odoos_that_show_something_else_differ():
    one = {"WH/OUT/00001 x_milepost_milestone": "delivered", "timeline a": 1}
    other = {"WH/OUT/00001 x_milepost_milestone": "in_transit"}
    assert differences(one, one) == []
    assert differences(one, other) == [
        "WH/OUT/00001 x_milepost_milestone: 'delivered', quietly 'in_transit'",
        "timeline a: 1, quietly None",
    ]


def test_a_message_that_was_acknowledged_and_is_not_stored_makes_the_run_short():
    load = make_load(NUMBERS, 1_000, START, random.Random(3))
    sent = Sent(acknowledged=[(5.0, uuid4()) for _ in load.posts])
    done = Done(killed=Counter(dict.fromkeys(KILLED, 1)), full=[(1.0, 9.0)])
    faults = draw(SMALL, PROCESSES, random.Random(3))
    report = Report(1, "", SMALL, faults, done, sent, len(load.posts), len(load.events), 1.0, True)
    ending = Ending(1.0, None, len(load.posts) - 1, 1, 0, 0, [], {"WH/OUT/00001": "delivered"})
    judge(report, ending, load, {"WH/OUT/00001": "in_transit"}, None)
    short = [figure.name for figure in report.figures if not figure.met]
    assert short == ["stored", "lost", "differences from a quiet run"]
    assert report.troubles == ["differs: WH/OUT/00001: 'delivered', quietly 'in_transit'"]
