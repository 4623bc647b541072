"""Acceptance: what the doors alone take in, nobody working behind them, and how long one answer takes."""

import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median

from redis import Redis

from tests.bench.figures import Figure, Report, progress
from tests.bench.load import Load, run_load
from tests.bench.posts import bodies, made_up_numbers, requests
from tests.bench.sides import Milepost, Textbook, synced_every_second
from tests.bench.size import Size
from tests.bench.trivial import trivial_server

P99_BAR_MS = 25
MOST_STOLEN, TRIES = 0.01, 3
"""A round counts if the host gave at most this share of the machine to others; it is tried so many times, if not."""


def load_ceiling(report: Report, size: Size) -> None:
    """What the load generator reaches where nothing is done, so that a reader can tell who was the limit."""
    with trivial_server() as port:
        load = run_load(port, requests(_some(size.textbook_posts)), seconds=size.round_seconds)
    report.add(Figure("load generator against a server that does nothing", load.per_second, unit="posts/s"))


def acceptance(report: Report, size: Size, milepost: Milepost, textbook: Textbook, redis: Redis) -> float:
    """The ratio; returns Milepost's rate."""
    mine, theirs = [], []
    for number in range(size.rounds):
        theirs.append(_textbook_door(textbook, redis, size).per_second)
        mine.append(_door(milepost, size.door_posts, size).per_second)
        progress(f"acceptance, round {number + 1}: Milepost {mine[-1]:,.0f}/s, textbook {theirs[-1]:,.0f}/s")
        redis.flushall()
    report.add(Figure("acceptance, Milepost, fsynced", median(mine), unit="/s"))
    report.add(Figure("acceptance, textbook, not fsynced", median(theirs), unit="/s"))
    report.add(Figure("acceptance ratio", median(_ratios(mine, theirs)), 3, "x", higher=True))
    return median(mine)


def answer_time(
    report: Report, size: Size, milepost: Milepost, rate: float, name: str, bar: float = P99_BAR_MS
) -> None:
    """The 99th percentile of the answers at that rate, the median of the rounds, as all that others' load disturbs."""

    def run() -> Load:
        load = load_at(size, milepost, rate)
        progress(f"{name}: {load.p99 * 1000:.1f} ms, its host gave {load.stolen:.1%} of this machine to others")
        return load

    loads, again = undisturbed(run, size.rounds)
    accepted = median(load.per_second for load in loads)
    note = f"{rate:,.0f}/s posted, {accepted:,.0f}/s accepted" + (f"; {again} rounds done again" if again else "")
    report.add(answers(loads, name, bar, note))


def undisturbed(run: Callable[[], Load], rounds: int) -> tuple[list[Load], int]:
    """So many rounds in which this machine was all there, and how many had to be done again for it.

    A virtual machine that gets no processor for a while answers nobody, whatever runs in it. Where its host gives no
    peace within TRIES times the rounds, those in which it took least.
    """
    run_so_far: list[Load] = []
    while sum(load.stolen <= MOST_STOLEN for load in run_so_far) < rounds and len(run_so_far) < rounds * TRIES:
        run_so_far.append(run())
    return sorted(run_so_far, key=lambda load: load.stolen)[:rounds], len(run_so_far) - rounds


def _door(milepost: Milepost, posts: int, size: Size) -> Load:
    return run_load(milepost.port, requests(_some(posts)), seconds=size.round_seconds)


def _textbook_door(textbook: Textbook, redis: Redis, size: Size) -> Load:
    with synced_every_second(redis):
        return run_load(textbook.port, requests(_some(size.textbook_posts)), seconds=size.round_seconds)


def load_at(size: Size, milepost: Milepost, rate: float) -> Load:
    """A round at that rate, of news."""
    posts = _some(int(rate * size.round_seconds), f"NEXT{time.monotonic_ns()}N")
    return run_load(milepost.port, requests(posts), rate=rate)


def answers(loads: Sequence[Load], name: str, bar: float, note: str) -> Figure:
    """The median of their 99th percentiles. Where one was refused, no answer time is known."""
    whole = all(load.accepted and not load.refused for load in loads)
    p99 = median(load.p99 for load in loads) * 1000 if whole else float("inf")
    return Figure(name, p99, bar, "ms", note=note)


def _some(count: int, prefix: str = "DOOR") -> list[bytes]:
    """At least so many bodies."""
    return bodies(made_up_numbers(count // 6 + 1, prefix))


def _ratios(mine: list[float], theirs: list[float]) -> Iterator[float]:
    """Round by round: a slower moment of the machine slows both."""
    return (a / b for a, b in zip(mine, theirs, strict=True))
