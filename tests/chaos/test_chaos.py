"""A small form of `make chaos`, and what makes its figures worth believing."""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
import redis

from tests.chaos import courier
from tests.chaos.faults import AWAY, CHILDREN_OF, Done, draw, empty, fill, one_after_another
from tests.chaos.figures import all_met, at_least, at_most, between, exactly
from tests.chaos.load import MOST_TIMES, make_load
from tests.chaos.odoo_state import differences
from tests.chaos.orders import Order
from tests.chaos.plans import LONG, SHORT
from tests.chaos.run import Ending, Report, judge, run, skew_environ
from tests.chaos.sender import Sent

PROCESSES = ("web", "worker", "act", "bulk", "poll", "beat", "flower")
KILLED = (*PROCESSES, "valkey", "postgres", *(f"a child of {name}" for name in CHILDREN_OF))
START = datetime(2026, 3, 2, tzinfo=UTC)
DURING = (START + timedelta(days=2), START + timedelta(days=2, seconds=40))
ORDERS = [Order(f"S{n:05d}", (f"1Z999AA1{n:010d}", f"1Z999AB1{n:010d}")[: 1 + n % 2]) for n in range(30)]


def loaded(seed):
    return make_load(ORDERS, 1_000, START, DURING, random.Random(seed))


@pytest.mark.requirement("M42", "M50", "M118")
def test_whatever_breaks_at_random_moments_nothing_is_lost_or_doubled_and_odoo_ends_as_after_a_quiet_run():
    report = run(SHORT, seed=1, say=print)
    assert all_met(report.figures), "\n".join(map(str, [*report.figures, *report.troubles]))


def test_a_seed_repeats_the_load_and_the_faults():
    def drawn(seed):
        return loaded(seed), draw(SHORT, PROCESSES, random.Random(seed))

    assert drawn(7) == drawn(7)
    assert drawn(7) != drawn(8)


def test_each_event_is_sent_one_to_ten_times_in_no_order_and_something_unreadable_is_among_it():
    load = loaded(3)
    times = Counter(post.body for post in load.posts)
    assert len(load.posts) >= 1_000
    assert set(times) == {event.body for event in load.events} | load.unreadable
    assert max(times[event.body] for event in load.events) <= MOST_TIMES
    assert {post.carrier for post in load.posts} == {"dhl_unified", "fedex", "ups", courier.NAME}
    assert list(load.posts) != sorted(load.posts, key=lambda post: post.number)
    assert len(load.unreadable) == 2


def test_every_process_and_both_servers_are_killed_as_often_as_planned():
    faults = draw(SHORT, PROCESSES, random.Random(3))
    kills = Counter(fault.target for fault in faults if fault.kind == "kill")
    assert kills == dict.fromkeys((*PROCESSES, "valkey", "postgres"), 1)
    assert Counter(f.target for f in faults if f.kind == "kill a child of") == dict.fromkeys(CHILDREN_OF, 1)
    assert [fault.seconds for fault in faults if fault.target == AWAY] == [SHORT.odoo_away_seconds]
    assert max(fault.at + fault.seconds for fault in faults) <= SHORT.seconds


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


def test_in_the_long_form_fifty_thousand_are_posted_each_process_is_killed_ten_times_and_odoo_is_away_for_minutes():
    faults = draw(LONG, PROCESSES, random.Random(3))
    kills = Counter(fault.name.removeprefix("kill ") for fault in faults if fault.kind.startswith("kill"))
    assert kills.keys() == set(KILLED)
    assert min(kills.values()) >= 10
    assert LONG.posts >= 50_000
    assert max(fault.seconds for fault in faults if fault.target == AWAY) >= 120


def test_an_order_is_taken_back_only_after_all_of_it_arrived():
    load = loaded(3)
    last = {event.number: event.milestone for event in load.events}
    assert load.corrections
    for order in ORDERS:
        for post in load.corrections.get(order.name, ()):
            assert post.number in order.numbers
            assert {last[number] for number in order.numbers} == {"delivered"}


def test_the_clock_of_the_chosen_process_and_its_children_is_off_and_no_other():
    ask = "import datetime, time; print(time.time(), datetime.datetime.now().timestamp())"
    asks_a_child = f"import subprocess, sys; print(subprocess.check_output([sys.executable, '-c', {ask!r}]).decode())"

    def off_by(code, *words):
        environ = os.environ | skew_environ("act", 3600)
        told = subprocess.run([sys.executable, "-c", code, *words], env=environ, capture_output=True, check=True)
        return {round((float(word) - time.time()) / 600) * 600 for word in told.stdout.split()}

    assert off_by(ask, "-n", "act@%h") == off_by(asks_a_child, "act@%h") == {3600}
    assert off_by(ask, "-n", "worker@%h") == {0}
    reads = "import datetime, shipments.fold as f; print(f.convert('2026-01-05T10:00:00Z', f.datetime).timestamp())"
    assert off_by(f"{reads}; print(datetime.datetime.now().timestamp())", "act@%h") > {3600}, "a stored moment is read"


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
    load = loaded(3)
    sent = Sent(acknowledged=[(5.0, uuid4()) for _ in range(load.size)])
    done = Done(killed=Counter(dict.fromkeys(KILLED, 1)), full=[(1.0, 9.0)], spoiled=Counter(slow=1))
    faults = draw(SHORT, PROCESSES, random.Random(3))
    report = Report(1, "", SHORT, faults, done, sent, load.size, len(load.events), 1.0, True)
    ending = Ending(1.0, None, load.size - 1, 1, 0, 0, {}, {}, {"states": {"WH/OUT/00001": "delivered"}})
    judge(report, ending, load, {"states": {"WH/OUT/00001": "in_transit"}}, None)
    short = [figure.name for figure in report.figures if not figure.met]
    assert short == ["stored", "lost", "differences from a quiet run, states"]
    assert report.troubles == ["differs: WH/OUT/00001: 'delivered', quietly 'in_transit'"]
