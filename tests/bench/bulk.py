"""Live beside bulk: how long a webhook waits while a large replay runs, against the same without it."""

import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice

import psycopg

from config.settings import load_settings
from shipments.clock import new_id, now
from shipments.store.seal import Seal
from tests.bench.figures import Figure, Report, progress
from tests.bench.into_odoo import P95
from tests.bench.posts import CARRIER, bodies, requests
from tests.bench.probe import Waits, probe
from tests.bench.sides import ROOT, Milepost, wait_for
from tests.bench.size import Size

LIVE_RATE = 50
STORED_BAR_SECONDS = 1
ODOO_BAR_SECONDS = 2

REPLAYED = "select count(*) from messages where lane = 'bulk' and state <> 'received'"
BACKLOG = "select count(*) from messages where lane = 'bulk' and state = 'received'"
COPY = """
    copy messages (id, carrier, account, lane, received_at, trace, sealed, state, events) from stdin
"""


def live_beside_bulk(report: Report, size: Size, milepost: Milepost, bulk: Sequence[str], live: Sequence[str]) -> None:
    """Half of the live webhooks tell of parcels that the bulk tells of too, so that each has the other's rows to wait
    for; the other half is asked how late Odoo shows them."""
    half = len(live) // 2
    quiet_own, busy_own = live[:half], live[half:]
    quiet = _live(milepost, quiet_own, bulk[:half])
    _store(milepost, size.replayed, bulk)
    began, before = time.monotonic(), milepost.count(REPLAYED)
    _replay(milepost)
    wait_for(lambda: milepost.count(REPLAYED) > before, 60, "the replay to begin")
    progress(f"{size.replayed:,} messages marked for replay, and begun, after {time.monotonic() - began:.0f} s")
    began, before = time.monotonic(), milepost.count(REPLAYED)
    busy = _live(milepost, busy_own, bulk[:half])
    done, seconds, left = milepost.count(REPLAYED) - before, time.monotonic() - began, milepost.count(BACKLOG)
    note = f"{left:,} of {size.replayed:,} still waited at the end"
    report.add(Figure("replay beside live", done / seconds, unit="messages/s", note=note))
    for name, waits in (("alone", quiet), (f"beside a replay of {size.replayed:,}", busy)):
        bar = STORED_BAR_SECONDS
        report.add(Figure(f"live webhook posted to committed, {name}, p50", waits.at(0.5), unit="s"))
        report.add(Figure(f"live webhook posted to committed, {name}, p95", waits.at(0.95), bar, "s"))
    for name, numbers in (("alone", quiet_own), ("beside the replay", busy_own)):
        p95, shown = _into_odoo(milepost, numbers)
        note = f"{shown} of {len(numbers)} shown"
        report.add(Figure(f"live webhook to Odoo (stand-in), {name}, p95", p95, ODOO_BAR_SECONDS, "s", note=note))


def _live(milepost: Milepost, own: Sequence[str], shared: Sequence[str]) -> Waits:
    """One event of each, told of now, in turn of both."""
    made = [body for pair in zip(_told(own), _told(shared), strict=True) for body in pair]
    return probe(milepost, list(requests(made)), LIVE_RATE)


def _told(numbers: Sequence[str]) -> list[bytes]:
    return bodies(numbers, ["out_for_delivery"])


def _store(milepost: Milepost, count: int, numbers: Sequence[str]) -> None:
    """So many messages of the past, sealed as at the door: the way of each number, again and again."""
    began = time.monotonic()
    with psycopg.connect(milepost.database_url) as connection, connection.cursor().copy(COPY) as copy:
        for row in _rows(milepost, count, bodies(numbers)):
            copy.write_row(row)
    progress(f"{count:,} messages to replay took {time.monotonic() - began:.0f} s to make")


def _rows(milepost: Milepost, count: int, made: Sequence[bytes]) -> Iterator[tuple[object, ...]]:
    seal = Seal(load_settings(milepost.environ).secret_key)
    headers = {"content-type": "application/json"}
    for body in islice(cycle(made), count):
        key = new_id()
        yield key, CARRIER, "", "live", now(), "0" * 32, seal.close(key, body, headers), "done", 1


def _replay(milepost: Milepost) -> None:
    """As a person does it, with all there is."""
    command = [sys.executable, "-m", "app.cli", "replay", "--carrier", CARRIER]
    subprocess.run(command, cwd=ROOT, env=milepost.environ, check=True, capture_output=True)


def _into_odoo(milepost: Milepost, numbers: Sequence[str]) -> tuple[float, int]:
    """p95 in seconds over those that Odoo shows by now, and how many those are; late ones have a moment to come."""
    time.sleep(3)
    shown = """
        select count(*) from effects where kind = 'delivery' and state = 'done' and told_at is not null
            and subject in (select shipment_id from numbers where number = any(%s))
    """
    with psycopg.connect(milepost.database_url) as connection:
        count = connection.execute(shown, [list(numbers)]).fetchone()
        p95 = connection.execute(P95.encode(), [list(numbers)]).fetchone()
    assert count is not None
    assert p95 is not None
    missing = count[0] < 0.95 * len(numbers)
    return (float("inf") if missing or p95[0] is None else float(p95[0])), int(count[0])
