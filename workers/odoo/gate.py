"""The gate before Odoo: one writer at a time, and a pause while Odoo is away.

One writer, because two that write the same delivery meet inside Odoo ("could not serialize access"), and because one
that writes in batches is as fast as Odoo can take it. The pause is kept in the store, so that all workers keep it and
it survives them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Engine, text

from shipments.clock import now
from shipments.store.marks import drop_mark, find_mark, save_mark

WRITER = 0x4F646F6F  # "Odoo": the advisory lock of the one writer
READER = 0x4F646F70  # and of the one that keeps the index
_PAUSE = "odoo_pause"
_LONGEST_PAUSE_SECONDS = 30


@contextmanager
def alone(engine: Engine, lock: int) -> Iterator[bool]:
    """True for the one process that holds the lock now, False for the others. A lost connection ends it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        mine = bool(connection.execute(text("select pg_try_advisory_lock(:lock)"), {"lock": lock}).scalar_one())
        try:
            yield mine
        finally:
            if mine:
                connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": lock})


def paused_until(engine: Engine) -> datetime | None:
    """Until when nobody shall call Odoo; None if the way is free."""
    with engine.connect() as connection:
        pause = find_mark(connection, _PAUSE)
    until = datetime.fromisoformat(pause["until"]) if pause else None
    return until if until and until > now() else None


def pause(engine: Engine, reason: str, retry_after_seconds: float | None = None) -> float:
    """Odoo is away: keeps everybody off for a while, longer each time; how long in seconds."""
    with engine.begin() as connection:
        before = find_mark(connection, _PAUSE) or {"failures": 0}
        failures = before["failures"] + 1
        seconds = retry_after_seconds or min(2.0 ** min(failures, 10), _LONGEST_PAUSE_SECONDS)
        until = now() + timedelta(seconds=seconds)
        save_mark(connection, _PAUSE, {"until": until.isoformat(), "failures": failures, "reason": reason})
    return seconds


def resume(engine: Engine) -> None:
    """Odoo has answered."""
    with engine.begin() as connection:
        drop_mark(connection, _PAUSE)
