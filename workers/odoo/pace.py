"""How hard Odoo is worked: full pace while it answers quickly, half of it and half again while it does not.

At level n a batch holds 1/2^n of its rows, and after a round Odoo is left alone until it was busy with us for 1/2^n of
the time. What nobody waits for goes seldom then. The level falls again as soon as answers are quick. Beside that, a
kind whose batch timed out is sent in half as many rows for a while. Both are kept in the store for the next task.
"""

import math
import time
from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine

from shipments.effects import Kind
from shipments.store.marks import ODOO_PACE, drop_mark, find_mark, save_mark

HIGHEST_LEVEL = 4
LEAST_ROWS = 10
WINDOW = 20
"""Calls the p95 is taken of: the last ones of this process, since the level was last changed."""

ENOUGH = 5
"""Calls that have to be quick before the level falls. It rises after fewer: even one call that is too slow says it."""

LONGEST_REST_SECONDS = 12.0
DEFERRED_SECONDS = 10.0
GROWS_AFTER_SECONDS = 600.0

CRITICAL = frozenset({Kind.DELIVERY, Kind.ORDER, Kind.ACTIVITY})
"""What a person acts on. Everything else waits longer while Odoo is slow."""


@dataclass(slots=True)
class Pace:
    """The pace of the one who writes. slow_seconds: a p95 of Odoo's answers above it is slow.

    rows: the most rows of a kind since a batch of it timed out, and when that was (seconds since 1970).
    turns: when each kind last had its turn (seconds since 1970).
    """

    slow_seconds: float
    level: int = 0
    rows: dict[str, tuple[int, float]] = field(default_factory=dict)
    turns: dict[str, float] = field(default_factory=dict)
    _seconds: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))
    _kept: dict[str, Any] | None = None

    def note(self, seconds: float) -> None:
        """Odoo took so long to answer a call."""
        self._seconds.append(seconds)

    def adapt(self) -> None:
        """After a round: one level up if answers are slow, one down if they are quick."""
        slow = p95(self._seconds)
        if slow > self.slow_seconds:
            self.level = min(self.level + 1, HIGHEST_LEVEL)
            self._seconds.clear()
        elif slow < self.slow_seconds / 2 and self.level and len(self._seconds) >= ENOUGH:
            self.level -= 1
            self._seconds.clear()

    def most(self, kind: Kind, full: int) -> int:
        """How many effects of that kind go at once; full: as many as go where Odoo is quick."""
        rows, _ = self.rows.get(kind, (full, 0.0))
        return max(min(LEAST_ROWS, full), min(rows, full) >> self.level)

    def timed_out(self, kind: Kind, sent: int, at: float | None = None) -> None:
        """A batch of so many was not done in time."""
        self.rows[kind] = max(LEAST_ROWS, sent // 2), time.time() if at is None else at

    def went_through(self, kind: Kind, full: int, at: float | None = None) -> None:
        """A batch was done in time: after a while, twice as many are tried."""
        at = time.time() if at is None else at
        rows, since = self.rows.get(kind, (full, at))
        if at - since < GROWS_AFTER_SECONDS:
            return
        if rows * 2 >= full:
            del self.rows[kind]
        else:
            self.rows[kind] = rows * 2, at

    def turn(self, kind: Kind, at: float | None = None) -> bool:
        """Whether that kind goes in this round. A turn that is yet to come was noted by a clock that is wrong."""
        if kind in CRITICAL or not self.level:
            return True
        since = (time.time() if at is None else at) - self.turns.get(kind, 0.0)
        return not 0 <= since < DEFERRED_SECONDS * 2**self.level

    def in_turn(self, kinds: Iterable[Kind]) -> list[Kind]:
        """The same kinds, first the one whose last turn is longest ago."""
        return sorted(kinds, key=lambda kind: self.turns.get(kind, 0.0))

    def had_turn(self, kind: Kind, at: float | None = None) -> None:
        """What of that kind was due, if anything, has gone to Odoo."""
        self.turns[kind] = time.time() if at is None else at

    def rest_seconds(self, worked: float) -> float:
        """How long Odoo is left alone after a round that took so many seconds."""
        return min(LONGEST_REST_SECONDS, worked * (2**self.level - 1))


def p95(seconds: Collection[float]) -> float:
    """The time within which 95 of 100 answers were there; 0 without any."""
    return sorted(seconds)[math.ceil(len(seconds) * 0.95) - 1] if seconds else 0.0


def load_pace(engine: Engine, pace: Pace) -> None:
    """Takes over what was learned by whoever wrote last."""
    with engine.connect() as connection:
        pace._kept = find_mark(connection, ODOO_PACE)
    mark = pace._kept or {}
    if pace.level != (level := mark.get("level", 0)):
        pace._seconds.clear()  # they say nothing of Odoo at that level
    pace.level = level
    pace.rows = {kind: (rows, at) for kind, (rows, at) in mark.get("rows", {}).items()}
    pace.turns |= mark.get("turns", {})


def save_pace(engine: Engine, pace: Pace) -> None:
    """Keeps what was learned, if that is news; nothing is kept, and nothing written, while Odoo is quick."""
    learned: dict[str, Any] | None = None
    if pace.level or pace.rows:
        rows = {kind: [*limit] for kind, limit in pace.rows.items()}
        turns = {kind: at for kind, at in pace.turns.items() if kind not in CRITICAL} if pace.level else {}
        learned = {"level": pace.level, "rows": rows, "turns": turns}
    if learned == pace._kept:
        return
    with engine.begin() as connection:
        if learned:
            save_mark(connection, ODOO_PACE, learned)
        else:
            drop_mark(connection, ODOO_PACE)
    pace._kept = learned
