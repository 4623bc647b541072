"""Milepost whole, with the stand-in as its Odoo: what each kind of process costs, and who slows whom."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from redis import Redis

from config.embedded.servers import Servers
from config.queues import LANES
from config.settings import load_settings
from shipments.store.intake import Intake
from tests.bench.bulk import live_beside_bulk
from tests.bench.costs import Costs
from tests.bench.figures import Figure, Report, progress
from tests.bench.into_odoo import INDEXED, UNDONE, calls_and_time, paced_numbers, wait_until_read_back
from tests.bench.load import run_load
from tests.bench.neighbors import neighbors
from tests.bench.posts import bodies, requests
from tests.bench.sides import Milepost, wait_for
from tests.bench.size import Size
from tests.bench.usage import Usage, bytes_per_event, cpu_per_event, idle_cores, shared_buffers, usage, written
from tests.fakes.carriers import USUAL
from tests.fakes.odoo import FakeOdoo
from workers.odoo import setup
from workers.odoo.client import connect

SLOW_ODOO_SECONDS = 2.0
SLOW_ODOO_BAR = 0.9
WORKER_BAR_MB = 200
GROWTH_BAR_MB = 20
"""Of all processes of a kind together; a leak of a message's body for each message would be ten times that."""

SETTLE_SECONDS = 600


@dataclass(slots=True)
class Site:
    """What the parts of this measure on. numbers: of deliveries in Odoo that nobody has told of yet."""

    milepost: Milepost
    servers: Servers
    redis: Redis
    odoo: FakeOdoo
    numbers: list[str]

    def take(self, count: int) -> list[str]:
        """So many numbers; nobody else gets them."""
        taken, self.numbers = self.numbers[:count], self.numbers[count:]
        return taken

    def through(self, numbers: Sequence[str]) -> tuple[int, float]:
        """Each number's whole way, as fast as it is taken: how many, and the seconds until the last is committed."""
        made, stored = list(requests(bodies(numbers))), self.milepost.count(Milepost.STORED)
        began = time.monotonic()
        load = run_load(self.milepost.port, made)
        self.milepost.wait_until_done(Milepost.STORED, stored + load.accepted)
        return load.accepted, time.monotonic() - began

    def drain(self) -> None:
        """Until nothing waits in a stream."""
        intake = Intake(self.redis)
        wait_for(lambda: not any(map(intake.length, LANES)), SETTLE_SECONDS, "the streams to be empty")

    def settle(self) -> None:
        """Until Odoo shows everything."""
        wait_for(lambda: self.milepost.count(UNDONE) == 0, SETTLE_SECONDS, "Odoo to show everything")


def whole_site(report: Report, size: Size, home: Path, servers: Servers) -> Costs:
    """Everything that is measured with all processes running and Odoo told. Returns what it costs."""
    paced = paced_numbers(size.paced_seconds)
    told = size.messages // len(USUAL) + 1
    slow = size.slow_odoo_parcels * size.rounds * 2
    fast = size.odoo_events // len(USUAL)
    with _site(home, servers, paced + fast + told + slow + size.bulk_parcels + size.live_parcels) as site:
        milepost = site.milepost
        numbers = site.take(paced + fast)
        calls = calls_and_time(report, milepost, lambda: len(site.odoo.calls), numbers, size.paced_seconds, "stand-in")
        costs = _costs(report, size, site, site.take(told), calls)
        _slow_odoo(report, size, site)
        neighbors(report, size, milepost)
        site.drain()
        live_beside_bulk(report, size, milepost, site.take(size.bulk_parcels), site.take(size.live_parcels))
    return costs


@contextmanager
def _site(home: Path, servers: Servers, deliveries: int) -> Iterator[Site]:
    with Redis.from_url(servers.redis_url) as redis, FakeOdoo() as odoo:
        redis.flushall()
        numbers = [delivery["tracking"][0] for delivery in odoo.seed(deliveries)]
        setup.apply(connect(load_settings(odoo.environ())))
        with Milepost(home, servers, odoo.environ()) as milepost:
            milepost.prepare()
            milepost.start_door()
            milepost.start_hands()
            milepost.wait_until_done(INDEXED, deliveries)
            yield Site(milepost, servers, redis, odoo, numbers)


def _costs(report: Report, size: Size, site: Site, numbers: Sequence[str], calls: tuple[float, float]) -> Costs:
    """Of a tenth of the messages first, so that everything has started, and then of the others."""
    wait_until_read_back(site.milepost)
    idle = _idle(site, size.idle_seconds)
    tenth = len(numbers) // 10
    site.through(numbers[:tenth])
    site.settle()
    rewrite = site.redis.config_get("auto-aof-rewrite-percentage")["auto-aof-rewrite-percentage"]
    site.redis.config_set("auto-aof-rewrite-percentage", 0)
    disk, before = written(site.milepost.database_url, site.redis), usage(site.milepost, site.servers, site.redis)
    events, seconds = site.through(numbers[tenth:])
    site.settle()
    after, disk_after = usage(site.milepost, site.servers, site.redis), written(site.milepost.database_url, site.redis)
    site.redis.config_set("auto-aof-rewrite-percentage", rewrite)
    progress(f"{events:,} messages in {seconds:.0f} s, {after.at - before.at:.0f} s until Odoo shows all of them")
    _memory(report, site, before, after, len(numbers) * len(USUAL))
    costs = Costs(
        idle=idle,
        cpu=cpu_per_event(before, after, events, idle),
        memory={**after.memory, "postgres": after.memory["postgres"] + shared_buffers(site.milepost.database_url)},
        tables=bytes_per_event(disk.tables, disk_after.tables, events),
        log=(disk_after.log - disk.log) / events,
        append_only=(disk_after.append_only - disk.append_only) / events,
        calls_paced=calls[0],
        calls_fast=calls[1],
        rate=events / seconds,
    )
    costs.add_to(report)
    return costs


def _idle(site: Site, seconds: float) -> dict[str, float]:
    before = usage(site.milepost, site.servers, site.redis)
    time.sleep(seconds)
    return idle_cores(before, usage(site.milepost, site.servers, site.redis))


def _memory(report: Report, site: Site, before: Usage, after: Usage, messages: int) -> None:
    worker = site.milepost.ingest_memory()
    report.add(Figure(f"memory of an ingest worker through {messages:,} messages", worker, WORKER_BAR_MB, "MB"))
    for kind, end in after.memory.items():
        grown = after.held - before.held if kind == "valkey" else end - before.memory[kind]
        note = f"{'by its own count' if kind == 'valkey' else 'flat'}; {end:.0f} MB at the end"
        name = f"memory of {kind}, from a tenth of them to the end, grown by"
        report.add(Figure(name, grown, GROWTH_BAR_MB, "MB", note=note))


def _slow_odoo(report: Report, size: Size, site: Site) -> None:
    """Ingest while Odoo takes seconds for each call, against ingest while it answers at once."""
    quick, slow = [], []
    for _ in range(size.rounds):
        for seconds, rates in ((0.0, quick), (SLOW_ODOO_SECONDS, slow)):
            site.odoo.slow_seconds = seconds
            accepted, took = site.through(site.take(size.slow_odoo_parcels))
            rates.append(accepted / took)
        site.odoo.slow_seconds = 0.0
        site.settle()
    report.add(Figure("ingest while Odoo answers at once", median(quick), unit="/s"))
    ratio = median(s / q for s, q in zip(slow, quick, strict=True))
    name = f"ingest while Odoo takes {SLOW_ODOO_SECONDS:g} s for each call, against that"
    report.add(Figure(name, ratio, SLOW_ODOO_BAR, "x", higher=True))
