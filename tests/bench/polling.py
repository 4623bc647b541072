"""Asking a carrier that takes 200 ms to answer: as fast as its limit allows, and never faster."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis

from config.embedded.servers import Servers
from shipments.store.database import make_engine
from shipments.store.polls import want
from tests.bench.figures import Figure, Report, progress
from tests.bench.posts import made_up_numbers
from tests.bench.sides import ROOT, Milepost
from tests.bench.size import Size
from tests.fakes.carrier_api import API_KEY

CARRIER = "dhl_unified"
LATENCY_SECONDS = 0.2
CALLS, PER_SECONDS = 1_000, 10
"""The limit of the stub, counted over any ten seconds as FedEx counts; with one number a call, parcels asked about."""

_LEFT = "select count(*) from polls where asked_at is not null"


def polling(report: Report, size: Size, home: Path, servers: Servers) -> None:
    """All processes run, beat wakes them, and what is answered is ingested meanwhile."""
    limit = CALLS / PER_SECONDS
    numbers = made_up_numbers(int(limit * size.poll_seconds), "POLL")
    with Redis.from_url(servers.redis_url) as redis, _carrier() as (url, counted):
        redis.flushall()
        environ = {
            f"CARRIER_{CARRIER.upper()}_API_KEY": API_KEY,
            f"CARRIER_{CARRIER.upper()}_POLL_URL": url,
            f"CARRIER_{CARRIER.upper()}_POLL_LIMITS": f"{CALLS}/{PER_SECONDS}s",
        }
        with Milepost(home, servers, environ) as milepost:
            milepost.prepare()
            milepost.start_hands()
            _want(milepost.database_url, numbers)
            milepost.wait_until_done(_LEFT, len(numbers), seconds=120 + 3 * size.poll_seconds)
            told = counted()
    times = sorted(told["times"])
    rate = (len(times) - 1) / (times[-1] - times[0])
    progress(f"poll: {len(times):,} numbers in {times[-1] - times[0]:.1f} s, at most {told['at_once']} calls at once")
    report.add(Figure("poll: parcels asked about", rate, unit="/s", note=f"the carrier allows {limit:.0f}/s"))
    report.add(Figure("poll: rate against the carrier's limit", rate / limit, 0.95, "x", higher=True))
    report.add(Figure("poll: answers 429", told["throttled"], 0))
    report.add(Figure("poll: asked about twice", len(times) - len(numbers), 0))


def _want(database_url: str, numbers: list[str]) -> None:
    engine = make_engine(database_url)
    with engine.begin() as connection:
        want(connection, CARRIER, numbers)
    engine.dispose()


@contextmanager
def _carrier() -> Iterator[tuple[str, Callable[[], dict[str, Any]]]]:
    """The stub in a process of its own: its address, and a call that ends it and gives what it counted."""
    limit = f"{CALLS}/{PER_SECONDS}"
    command = [sys.executable, "-m", "tests.fakes.carrier_api", "--carrier", CARRIER]
    command += ["--latency", str(LATENCY_SECONDS), "--limit", limit]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), lambda: json.loads(process.communicate("\n", timeout=30)[0])
        finally:
            process.kill()
