"""The circuit between Milepost and Odoo: kept in the store, by its clock, so all workers keep it and it survives them.

Closed, everybody calls. After a failure everybody keeps off for a moment. After OPENS_AFTER failures in a row the
circuit is open: nobody calls until its time is over, longer each time, and then the one who writes makes a single call.
If that gets through the circuit closes; if not, it stays open for longer.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from shipments.backoff import backoff
from shipments.store.marks import ODOO_PAUSE, drop_mark, find_mark, save_mark

OPENS_AFTER = 3
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=2), timedelta(seconds=30)
FORGOTTEN_AFTER = timedelta(minutes=5)
"""A failure this long after the last pause begins a new row: where nothing is written, no success ends the old one."""


def paused_until(engine: Engine) -> datetime | None:
    """Until when nobody shall call Odoo; None if the way is free. An open circuit is open until its trial succeeded."""
    with engine.connect() as connection:
        if not (pause := find_mark(connection, ODOO_PAUSE)):
            return None
        until, clock = _end(pause), _clock(connection)
        return max(until, clock) if until > clock or pause.get("open") else None


def may_try(engine: Engine) -> bool:
    """Whether the circuit is open and its time is over, so that one call shall be made, and nothing else before it."""
    with engine.connect() as connection:
        pause = find_mark(connection, ODOO_PAUSE)
        return bool(pause and pause.get("open")) and _end(pause) <= _clock(connection)


def pause(engine: Engine, reason: str, retry_after_seconds: float | None = None) -> float:
    """Odoo is away: keeps everybody off for a while, longer each time; how long in seconds.

    retry_after_seconds: how long Odoo, or what stands before it, asked to be left alone; that is what it gets.
    """
    with engine.begin() as connection:
        before, clock = find_mark(connection, ODOO_PAUSE), _clock(connection)
        in_a_row = before and (before.get("open") or _end(before) > clock - FORGOTTEN_AFTER)
        failures = 1 + (before["failures"] if in_a_row else 0)
        seconds = retry_after_seconds or backoff(failures, FIRST_PAUSE, LONGEST_PAUSE).total_seconds()
        until = clock + timedelta(seconds=seconds)
        value = {"until": until.isoformat(), "failures": failures, "open": failures >= OPENS_AFTER, "reason": reason}
        save_mark(connection, ODOO_PAUSE, value)
    return seconds


def resume(engine: Engine) -> None:
    """Odoo has answered: the circuit closes."""
    with engine.begin() as connection:
        drop_mark(connection, ODOO_PAUSE)


def _end(pause: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(pause["until"])


def _clock(connection: Connection) -> datetime:
    at: datetime = connection.execute(text("select now()")).scalar_one()
    return at
