"""The pause while Odoo is away: kept in the store, by its clock, so that all workers keep it and it survives them."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, text

from shipments.store.marks import drop_mark, find_mark, save_mark

_PAUSE = "odoo_pause"
_LONGEST_SECONDS = 30


def paused_until(engine: Engine) -> datetime | None:
    """Until when nobody shall call Odoo; None if the way is free."""
    with engine.connect() as connection:
        pause = find_mark(connection, _PAUSE)
        until = datetime.fromisoformat(pause["until"]) if pause else None
        return until if until and until > _clock(connection) else None


def pause(engine: Engine, reason: str, retry_after_seconds: float | None = None) -> float:
    """Odoo is away: keeps everybody off for a while, longer each time; how long in seconds."""
    with engine.begin() as connection:
        before = find_mark(connection, _PAUSE) or {"failures": 0}
        failures = before["failures"] + 1
        seconds = retry_after_seconds or min(2.0 ** min(failures, 10), _LONGEST_SECONDS)
        until = _clock(connection) + timedelta(seconds=seconds)
        save_mark(connection, _PAUSE, {"until": until.isoformat(), "failures": failures, "reason": reason})
    return seconds


def resume(engine: Engine) -> None:
    """Odoo has answered."""
    with engine.begin() as connection:
        drop_mark(connection, _PAUSE)


def _clock(connection: Connection) -> datetime:
    at: datetime = connection.execute(text("select now()")).scalar_one()
    return at
