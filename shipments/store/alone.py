"""One process at a time, by an advisory lock of PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from sqlalchemy import Engine, text


class Lock(IntEnum):
    """What is done by one process at a time. The numbers are ours within the database."""

    ODOO_WRITER = 0x4F646F6F
    ODOO_READER = 0x4F646F70
    PRUNER = 0x5072756E
    RECONCILER = 0x5265636F
    SWEEPER = 0x53776565


@contextmanager
def alone(engine: Engine, lock: Lock) -> Iterator[bool]:
    """True for the one process that holds the lock now, False for the others. A lost connection ends it."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        mine = bool(connection.execute(text("select pg_try_advisory_lock(:lock)"), {"lock": lock.value}).scalar_one())
        try:
            yield mine
        finally:
            if mine:
                connection.execute(text("select pg_advisory_unlock(:lock)"), {"lock": lock.value})
