"""Against a real Odoo: shipments brought up to date per second, and what it costs Odoo, against a write per event."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from config.embedded.servers import Servers
from config.settings import load_settings
from demo.deliveries import make_deliveries
from shipments.delivery import Delivery
from shipments.errors import SetupFault
from tests.bench.figures import Figure, Report, progress
from tests.bench.into_odoo import INDEXED, UNDONE, UNDONE_STATES, calls_and_time, paced_numbers, wait_until_read_back
from tests.bench.load import run_load
from tests.bench.posts import bodies, made_up_numbers, requests
from tests.bench.sides import Milepost, wait_for
from tests.bench.size import Size
from tests.fakes.carriers import USUAL
from workers.odoo import setup
from workers.odoo.client import Odoo, connect
from workers.odoo.fields import PICKING

RATIO_BAR = 10
TOLD = ("ODOO_URL", "ODOO_DATABASE", "ODOO_LOGIN", "ODOO_API_KEY", "ODOO_PASSWORD")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a way of telling Odoo took: seconds, and its workers' CPU seconds (None where they are elsewhere)."""

    events: int
    seconds: float
    cpu_seconds: float | None

    @property
    def shipments_per_second(self) -> float:
        return self.events / len(USUAL) / self.seconds

    @property
    def cpu_per_thousand(self) -> float | None:
        return None if self.cpu_seconds is None else self.cpu_seconds / self.events * 1000


def real_odoo(report: Report, size: Size, home: Path, servers: Servers) -> None:
    """Makes deliveries of its own there, so it wants a test database."""
    environ = {name: os.environ[name] for name in TOLD if os.environ.get(name)}
    if "ODOO_URL" not in environ:
        raise SetupFault(["make bench-odoo measures a real Odoo: set ODOO_URL and what belongs to it."])
    odoo = connect(load_settings(environ))
    setup.apply(odoo)
    stamp = f"B{int(time.time()):X}"
    numbers = made_up_numbers(size.real_shipments * 2 + paced_numbers(size.paced_seconds), stamp)
    deliveries = _make_deliveries(odoo, numbers)
    progress(f"{len(deliveries)} deliveries made in Odoo {odoo.version[0]}")
    with Milepost(home, servers, environ) as milepost:
        milepost.prepare()
        milepost.start_door()
        milepost.start_hands()
        milepost.wait_until_done(f"{INDEXED} where number like '{stamp}%'", len(numbers))
        _compare(report, size, milepost, odoo, deliveries, numbers)
        wait_until_read_back(milepost)
        rest = numbers[size.real_shipments :]
        calls_and_time(report, milepost, milepost.odoo_calls, rest, size.paced_seconds, "real")


def _compare(
    report: Report,
    size: Size,
    milepost: Milepost,
    odoo: Odoo,
    deliveries: dict[str, Delivery],
    numbers: Sequence[str],
) -> None:
    """One after the other: each has Odoo to itself. Milepost also writes orders and timelines; the other does not."""
    chosen = numbers[: size.real_shipments]
    theirs = _writes_each(odoo, [deliveries[n].picking_id for n in chosen[: size.writes]])
    mine = _through(milepost, odoo, chosen)
    report.add(Figure("into Odoo, Milepost", mine.shipments_per_second, unit="shipments/s"))
    report.add(Figure("into Odoo, one write per event", theirs.shipments_per_second, unit="shipments/s"))
    ratio = mine.shipments_per_second / theirs.shipments_per_second
    note = f"{len(USUAL)} events a shipment"
    report.add(Figure("into Odoo ratio", ratio, RATIO_BAR, "x", higher=True, note=note))
    if mine.cpu_per_thousand is None or theirs.cpu_per_thousand is None:
        report.remark("what it costs Odoo: left out, its processes are not on this machine")
        return
    report.add(Figure("CPU of Odoo's workers per 1,000 events, Milepost", mine.cpu_per_thousand, unit="s"))
    report.add(Figure("CPU of Odoo's workers per 1,000 events, one write each", theirs.cpu_per_thousand, unit="s"))


def _through(milepost: Milepost, odoo: Odoo, numbers: Sequence[str]) -> Cost:
    """Webhooks in one go, until Odoo shows where every delivery and order stands; the CPU is that of timelines too."""
    made, cpu, began = list(requests(bodies(numbers))), odoo_cpu_seconds(odoo.url), time.monotonic()
    load = run_load(milepost.port, made)
    milepost.wait_until_done(Milepost.STORED, load.accepted)
    wait_for(lambda: milepost.count(UNDONE_STATES) == 0, 300, "Odoo to show where everything stands")
    seconds = time.monotonic() - began
    wait_for(lambda: milepost.count(UNDONE) == 0, 300, "Odoo to show everything")
    return Cost(load.accepted, seconds, _since(odoo.url, cpu))


def _writes_each(odoo: Odoo, pickings: Sequence[int]) -> Cost:
    """One write per event, its state as the delivery's fields, over the same client and one kept connection."""
    cpu, began = odoo_cpu_seconds(odoo.url), time.monotonic()
    for milestone in USUAL:
        for picking in pickings:
            values = {"x_milepost_milestone": milestone, "x_milepost_location": "Memphis, TN, US"}
            odoo.call(PICKING, "write", [picking], vals=values)
    return Cost(len(USUAL) * len(pickings), time.monotonic() - began, _since(odoo.url, cpu))


def _make_deliveries(odoo: Odoo, numbers: Sequence[str]) -> dict[str, Delivery]:
    """Some at a time, or Odoo would take longer than a call may."""
    made: dict[str, Delivery] = {}
    for start in range(0, len(numbers), 200):
        made |= make_deliveries(odoo, numbers[start : start + 200])
    return made


def _since(url: str, before: float | None) -> float | None:
    after = odoo_cpu_seconds(url)
    return None if before is None or after is None else after - before


def odoo_cpu_seconds(url: str) -> float | None:
    """The CPU seconds of the processes that listen at that address of this machine; None if there are none."""
    port = urlsplit(url).port
    listening = [c for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and c.laddr.port == port]
    pids = {c.pid for c in listening if c.pid}
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids) if pids else None
