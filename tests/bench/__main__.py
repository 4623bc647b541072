"""Measures, prints a line per figure, and exits 1 if any is short.

SHORT=1 takes about four minutes and writes no page unless WRITE=1; --odoo measures against the Odoo of ODOO_URL.
"""

import argparse
import os
import signal
import sys
import tempfile
from pathlib import Path

from redis import Redis

from config.embedded.servers import Servers
from tests.bench.costs import Costs
from tests.bench.doors import acceptance, answer_time, load_ceiling
from tests.bench.figures import Report, progress
from tests.bench.page import write_page
from tests.bench.parsing import parsing
from tests.bench.polling import polling
from tests.bench.real_odoo import real_odoo
from tests.bench.sides import Milepost, Textbook
from tests.bench.size import LONG, SHORT, Size
from tests.bench.sizing_page import write_sizing
from tests.bench.store_size import cost_per_event
from tests.bench.through import Flow, burst, end_to_end
from tests.bench.whole import whole_site


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Milepost and the textbook design, side by side.")
    parser.add_argument("--odoo", action="store_true", help="only what needs a real Odoo, named by ODOO_URL")
    given = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    short = bool(os.environ.get("SHORT"))
    size, report = (SHORT if short else LONG), Report()
    progress(f"load of the machine before: {report.load_before:.1f}, on {os.cpu_count()} cores")
    costs = None
    with tempfile.TemporaryDirectory(prefix="milepost-bench-") as folder, Servers(folder) as servers:
        if given.odoo:
            real_odoo(report, size, Path(folder), servers)
        else:
            costs = bench(report, size, Path(folder), servers)
    if not short or os.environ.get("WRITE"):
        write_page(report, "odoo" if given.odoo else "bench", short=short)
        if costs:
            write_sizing(costs, short=short)
    return 0 if report.all_met else 1


def bench(report: Report, size: Size, home: Path, servers: Servers) -> Costs:
    """Everything that needs no Odoo of its own. Returns what Milepost costs."""
    parsing(report, size)
    load_ceiling(report, size)
    side_by_side(report, size, home, servers)
    costs = whole_site(report, size, home, servers)
    cost_per_event(report, size, servers.database_url)
    report.remark("what 1, 10 and 100 million events a day need: [sizing.md](sizing.md)")
    report.remark("shipments brought up to date in a real Odoo: `make bench-odoo`, with ODOO_URL set")
    polling(report, size, home, servers)
    return costs


def side_by_side(report: Report, size: Size, home: Path, servers: Servers) -> None:
    with (
        Redis.from_url(servers.redis_url) as redis,
        Milepost(home, servers) as milepost,
        Textbook(home, servers) as textbook,
    ):
        for side in (milepost, textbook):
            side.prepare()
            side.start_door()
        door = acceptance(report, size, milepost, textbook, redis)
        answer_time(report, size, milepost, door / 2, "acceptance p99 at half of capacity, the door alone")
        redis.flushall()
        for side in (milepost, textbook):
            side.start_hands()
        flow = Flow(milepost, textbook, redis)
        steady = end_to_end(report, size, flow)
        textbook.stop()
        burst(report, size, flow, steady)
        answer_time(report, size, milepost, steady / 2, "acceptance p99 at half of capacity, everything running")


if __name__ == "__main__":
    sys.exit(main())
