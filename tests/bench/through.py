"""End to end: from the first post until everything that follows from the last is committed, on both sides."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from redis import Redis
from sqlalchemy import Engine

from shipments.delivery import Delivery
from shipments.store.database import make_engine
from shipments.store.deliveries import save_deliveries
from tests.bench.figures import Figure, Report, progress
from tests.bench.load import run_load
from tests.bench.posts import bodies, made_up_numbers, requests
from tests.bench.sides import Milepost, Side, Textbook, synced_every_second
from tests.bench.size import Size
from tests.fakes.carriers import USUAL


@dataclass(slots=True)
class Flow:
    """What has gone through the two sides so far."""

    milepost: Milepost
    textbook: Textbook
    redis: Redis
    accepted: int = 0

    def through_milepost(self, posts: int, prefix: str) -> float:
        """Posts so many as fast as they are taken; seconds until the last is committed."""
        numbers = made_up_numbers(posts // len(USUAL), prefix)
        register(self.milepost.database_url, numbers, first_id=self.accepted + 1)
        accepted, seconds = _through(self.milepost, bodies(numbers))
        self.accepted += accepted
        return seconds

    def through_textbook(self, posts: int, prefix: str) -> float:
        made = bodies(made_up_numbers(posts // len(USUAL), prefix))
        with synced_every_second(self.redis):
            _, seconds = _through(self.textbook, made)
        return seconds


def end_to_end(report: Report, size: Size, flow: Flow) -> float:
    """The ratio; returns Milepost's rate. A first round of each warms up and is not counted."""
    flow.through_textbook(120, "WARM")
    flow.through_milepost(600, "WARM")
    mine, theirs = [], []
    for number in range(size.rounds):
        posts = size.through_textbook_posts
        theirs.append(posts / flow.through_textbook(posts, f"T{number}N"))
        mine.append(size.through_posts / flow.through_milepost(size.through_posts, f"M{number}N"))
        progress(f"end to end, round {number + 1}: Milepost {mine[-1]:,.0f}/s, textbook {theirs[-1]:,.0f}/s")
    report.add(Figure("end to end, Milepost", median(mine), unit="/s"))
    report.add(Figure("end to end, textbook", median(theirs), unit="/s"))
    ratio = median(a / b for a, b in zip(mine, theirs, strict=True))
    report.add(Figure("end to end ratio", ratio, 10, "x", higher=True, note="posted to events, state, effects"))
    return median(mine)


def burst(report: Report, size: Size, flow: Flow, steady: float) -> None:
    """All at once: what is lost, and how long it takes against the same number at the steady rate."""
    before = flow.accepted
    seconds = flow.through_milepost(size.burst, "BURST")
    accepted = flow.accepted - before
    lost = before + accepted - flow.milepost.count(Milepost.STORED)
    report.add(Figure(f"burst of {accepted:,}, lost", lost, 0))
    report.add(Figure("burst, time to drain against the steady rate", seconds * steady / accepted, 1.1, "x"))


def register(database_url: str, numbers: Sequence[str], first_id: int) -> None:
    """Tells the store of a delivery in Odoo for each number, each with an order of its own."""
    engine: Engine = make_engine(database_url)
    at = datetime(2026, 1, 5, tzinfo=UTC)
    deliveries = [
        Delivery(place, f"WH/OUT/{place:07d}", (number,), place, f"S{place:07d}", 1, at, at, None)
        for place, number in enumerate(numbers, first_id)
    ]
    with engine.begin() as connection:
        save_deliveries(connection, deliveries)
    engine.dispose()


def _through(side: Side, made: Sequence[bytes]) -> tuple[int, float]:
    """How many were accepted, and the seconds from the first post until all of them were stored.

    No other round is counted with them.
    """
    prepared, query = list(requests(made)), side.stored_from_now()
    load = run_load(side.port, prepared)
    if load.refused:
        progress(f"{side.name} refused {load.refused} of {len(prepared)}")
    side.wait_until_done(query, load.accepted)
    return load.accepted, time.monotonic() - load.began
