"""What goes wrong and when: drawn from a seed beforehand, then done to a running Milepost."""

import os
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from config.embedded.folder import is_alive
from tests.chaos.site import Site

SERVERS = ("valkey", "postgres")
CHILDREN_OF = ("worker", "act")
CUTS = ("carriers", "odoo", "valkey", "postgres")
ODOO_TROUBLES = ("slow", "erroring", "answering after the work was done", "closing mid-answer")
AWAY = "away"
FULL_DISK = "disk full"
FIND_A_VICTIM_SECONDS = 120
ROOM_BELOW_BYTES = 1


@dataclass(frozen=True, order=True)
class Fault:
    """at and seconds: since the load began, and for how long; 0 for what happens in a moment."""

    at: float
    kind: str
    target: str
    seconds: float = 0.0

    @property
    def name(self) -> str:
        return f"{self.kind} {self.target}".strip()


@dataclass(frozen=True)
class Plan:
    """How much is done: posts, for how long, how often each process is killed, and how long Odoo and the disk fail.

    odoo_loses_one_in: all the time, until all is done, one in so many writes is done by Odoo and the answer lost.
    odoo_spoils_at_least: so many of its calls must have met trouble, or the run shows nothing of it.
    """

    posts: int
    seconds: float
    kills_each: int
    odoo_away_seconds: float
    odoo_trouble_seconds: float
    odoo_troubles_each: int
    odoo_loses_one_in: int
    odoo_spoils_at_least: int
    disk_full_seconds: float
    disk_full_times: int
    cuts_each: int


def draw(plan: Plan, processes: Iterable[str], chance: random.Random) -> list[Fault]:
    """All faults of a run, in order."""
    end = plan.seconds * 0.95
    faults = list(_kills(plan.kills_each, end, [*processes, *SERVERS], chance))
    faults += [Fault(chance.uniform(0, end), "cut", name) for name in CUTS for _ in range(plan.cuts_each)]
    odoo = [(AWAY, plan.odoo_away_seconds)]
    odoo += [(trouble, plan.odoo_trouble_seconds) for trouble in ODOO_TROUBLES * plan.odoo_troubles_each]
    chance.shuffle(odoo)
    faults += [Fault(at, "Odoo", name, seconds) for at, name, seconds in one_after_another(odoo, end, chance)]
    full = [("of Valkey", plan.disk_full_seconds)] * plan.disk_full_times
    faults += [Fault(at, FULL_DISK, name, seconds) for at, name, seconds in one_after_another(full, end, chance)]
    return sorted(faults)


def _kills(rounds: int, end: float, names: Sequence[str], chance: random.Random) -> Iterator[Fault]:
    """Each process once a round, so that a kill finds it up again."""
    for number in range(rounds):
        for name in names:
            yield Fault(chance.uniform(number, number + 1) * end / rounds, "kill", name)
        for name in CHILDREN_OF:
            yield Fault(chance.uniform(number, number + 1) * end / rounds, "kill a child of", name)


def one_after_another(
    spells: Sequence[tuple[str, float]], end: float, chance: random.Random
) -> Iterator[tuple[float, str, float]]:
    """Spells (name, seconds) that do not overlap, with random pauses between them: when, name, seconds."""
    free = max(0.0, end - sum(seconds for _, seconds in spells))
    cuts = sorted(chance.uniform(0, free) for _ in spells)
    passed = 0.0
    for cut, (name, seconds) in zip(cuts, spells, strict=True):
        yield cut + passed, name, seconds
        passed += seconds


@dataclass
class Done:
    """What was really done: kills by name, connections cut, and when the disk was full (time.monotonic).

    spoiled: how many calls met each kind of trouble with Odoo. While it is away there is nobody to count them.
    """

    began: float = 0.0
    killed: Counter[str] = field(default_factory=Counter)
    cut: Counter[str] = field(default_factory=Counter)
    full: list[tuple[float, float]] = field(default_factory=list)
    spoiled: Counter[str] = field(default_factory=Counter)
    ended: float = 0.0


class Chaos:
    """Does the faults to the site, each at its time. `run` returns when the last one is over."""

    def __init__(self, site: Site, faults: Sequence[Fault], say: Callable[[str], object]) -> None:
        self.done = Done()
        self._site = site
        self._faults = faults
        self._say = say
        self._threads: list[threading.Thread] = []

    def run(self) -> Done:
        self.done.began = time.monotonic()
        steps = [(f.at, self._begin, f) for f in self._faults]
        steps += [(f.at + f.seconds, self._end, f) for f in self._faults if f.seconds]
        for at, step, fault in sorted(steps, key=lambda s: s[0]):
            time.sleep(max(0.0, self.done.began + at - time.monotonic()))
            step(fault)
        for thread in self._threads:
            thread.join()
        self.done.ended = time.monotonic()
        self.done.spoiled = self._site.odoo.spoiled
        return self.done

    def _begin(self, fault: Fault) -> None:
        if fault.seconds:
            self._say(f"{fault.at:6.1f} s  {fault.name} for {fault.seconds:g} s")
            self._change(fault, True)
            return
        thread = threading.Thread(target=self._do, args=(fault,), daemon=True)
        thread.start()
        self._threads.append(thread)

    def _end(self, fault: Fault) -> None:
        self._change(fault, False)

    def _do(self, fault: Fault) -> None:
        if fault.kind == "cut":
            with suppress(RedisError, SQLAlchemyError, OSError):
                self.done.cut[fault.target] += cut(self._site, fault.target)
        elif kill(self._site, fault):
            self.done.killed[fault.name.removeprefix("kill ")] += 1
        self._say(f"{fault.at:6.1f} s  {fault.name}")

    def _change(self, fault: Fault, on: bool) -> None:
        if fault.kind == FULL_DISK:
            (fill if on else empty)(self._site)
            now = time.monotonic()
            self.done.full[-1:] = [(self.done.full[-1][0], now)] if not on else [*self.done.full[-1:], (now, now)]
        else:
            trouble_odoo(self._site, fault.target, on)


def trouble_odoo(site: Site, trouble: str, on: bool) -> None:
    """Begins or ends a kind of trouble with Odoo."""
    if trouble == AWAY:
        site.to_odoo.away = on
    elif trouble == "slow":
        site.odoo.slow_seconds = 2.0 if on else 0.0
    elif trouble == "erroring":
        site.odoo.away = on
    elif trouble == "answering after the work was done":
        site.odoo.answer_after_doing_then_close = on
    elif trouble == "closing mid-answer":
        site.odoo.close_mid_answer = on


def kill(site: Site, fault: Fault) -> bool:
    """kill -9 of a process, or of a child of it, as soon as there is one; whether there was."""
    deadline = time.monotonic() + FIND_A_VICTIM_SECONDS
    while time.monotonic() < deadline:
        pid = site.pid_of(fault.target)
        if fault.kind != "kill":
            pid = next(iter(children(pid)), 0)
        if is_alive(pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                return True
        time.sleep(0.1)
    return False


def children(pid: int) -> list[int]:
    """The children of a process; none where it has none, or is gone."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as listing:
            return [int(child) for child in listing.read().split()]
    except OSError:
        return []


def cut(site: Site, target: str) -> int:
    """Cuts every connection with carriers, Odoo, Valkey or PostgreSQL; how many, where that can be known."""
    if target == "carriers":
        return site.to_web.cut()
    if target == "odoo":
        return site.to_odoo.cut()
    if target == "valkey":
        return int(site.valkey.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
    with site.engine.connect() as connection:
        others = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
        return len(connection.execute(text(f"{others} and datname = current_database()")).all())


def fill(site: Site) -> None:
    """Leaves Valkey no room: on its disk where that is one of its own, else by a limit of memory."""
    if site.disk is None:
        with suppress(RedisError):
            site.valkey.config_set("maxmemory", ROOM_BELOW_BYTES)
        return
    with suppress(OSError), (site.disk / "filler").open("ab", buffering=0) as filler:
        while filler.write(bytes(1 << 20)):
            pass


def empty(site: Site) -> None:
    """Gives the room back. A Valkey that was killed meanwhile has forgotten its limit."""
    if site.disk is None:
        with suppress(RedisError):
            site.valkey.config_set("maxmemory", 0)
        return
    (site.disk / "filler").unlink(missing_ok=True)
