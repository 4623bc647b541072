"""From webhook to Odoo: how many calls it takes, and how long until Odoo shows what a carrier told."""

from collections import Counter
from collections.abc import Callable, Sequence

import psycopg

from shipments.store.costs import find_costs
from shipments.store.database import make_engine
from tests.bench.figures import Figure, Report, progress
from tests.bench.load import run_load
from tests.bench.posts import bodies, requests
from tests.bench.sides import Milepost, wait_for

PACE = 100
CALLS_BAR = 20
P95_BAR_SECONDS = 2

UNDONE = "select count(*) from effects where state in ('due', 'claimed')"
UNDONE_STATES = f"{UNDONE} and kind in ('delivery', 'order')"
INDEXED = "select count(*) from numbers"
P95 = """
    select percentile_cont(0.95) within group (order by extract(epoch from done_at - told_at))
    from effects where kind = 'delivery' and state = 'done'
        and subject in (select shipment_id from numbers where number = any(%s))
"""
# What was just written is a change in Odoo too, and is read back once; that belongs to the part that wrote it.
_CAUGHT_UP = """
    select count(*) from marks where name = 'odoo_pulled' and cast(value ->> 'seen' as timestamptz) >= (
        select max(done_at) from effects where kind = 'delivery') - interval '5 seconds'
"""

_PACED_STEPS = ("departed_facility", "out_for_delivery")

Calls = Callable[[], int]
"""How many calls Odoo has been asked so far."""


def calls_and_time(
    report: Report, milepost: Milepost, calls: Calls, numbers: Sequence[str], seconds: int, where: str
) -> tuple[float, float]:
    """The first numbers are told of step by step, PACE a second; the others with their whole way, in one go.

    seconds: at that pace. A minute of them, and what is asked of Odoo once a minute counts, and counts once.
    Returns the calls for 1,000 events of both.
    """
    paced = paced_numbers(seconds)
    slow, fast = numbers[:paced], numbers[paced:]
    milepost.wait_until_done(INDEXED, len(numbers))
    steps = [body for step in _PACED_STEPS for body in bodies(slow, [step])]
    paced_calls = _calls_per_thousand(milepost, calls, steps, PACE)
    p95 = _p95_seconds(milepost, slow)
    report.add(Figure(f"webhook to Odoo ({where}), p95 at {PACE} webhooks a second", p95, P95_BAR_SECONDS, "s"))
    report.add(Figure(f"Odoo calls per 1,000 events at {PACE} webhooks a second", paced_calls, CALLS_BAR))
    fast_calls = _calls_per_thousand(milepost, calls, bodies(fast), 0)
    report.add(Figure("Odoo calls per 1,000 events, as fast as they are taken", fast_calls, CALLS_BAR))
    return paced_calls, fast_calls


def paced_numbers(seconds: int) -> int:
    """How many numbers `calls_and_time` tells of at its pace in that time."""
    return PACE * seconds // len(_PACED_STEPS)


def wait_until_read_back(milepost: Milepost) -> None:
    wait_for(lambda: milepost.count(_CAUGHT_UP) == 1, 120, "the pull to have read what was written")


def _calls_per_thousand(milepost: Milepost, calls: Calls, posts: list[bytes], rate: float) -> float:
    """Every call counts until Odoo shows everything, those that only look for changes too."""
    before, asked, stored = calls(), _asked(milepost), milepost.count(Milepost.STORED)
    load = run_load(milepost.port, requests(posts), rate=rate)
    milepost.wait_until_done(Milepost.STORED, stored + load.accepted)
    wait_for(lambda: milepost.count(UNDONE) == 0, 120, "Odoo to show everything")
    made = calls() - before
    for what, count in (_asked(milepost) - asked).most_common():
        progress(f"{count} calls of {what}")
    return made / load.accepted * 1000


def _asked(milepost: Milepost) -> Counter[str]:
    """What Odoo was asked today and yesterday, by Milepost's own account."""
    engine, asked = make_engine(milepost.database_url), Counter[str]()
    with engine.connect() as connection:
        for spent in find_costs(connection, 2):
            asked[f"{spent.purpose}: {spent.model} {spent.method}"] += spent.cost.calls
    engine.dispose()
    return asked


def _p95_seconds(milepost: Milepost, numbers: Sequence[str]) -> float:
    """From the arrival of the oldest message in the batch until Odoo's answer was written down, by one clock."""
    with psycopg.connect(milepost.database_url) as connection:
        row = connection.execute(P95.encode(), [list(numbers)]).fetchone()
    if row is None or row[0] is None:
        raise RuntimeError("no delivery reached Odoo")
    return float(row[0])
