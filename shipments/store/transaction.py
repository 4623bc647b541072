"""One transaction, tried again where PostgreSQL says that two of them met."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

T = TypeVar("T")

_MET = {"40001", "40P01"}  # serialization_failure, deadlock_detected: the other one goes on, this one starts over
_TRIES = 4


def transact(engine: Engine, work: Callable[[Connection], T]) -> T:
    """Runs the work in a transaction and commits it; work must be safe to start over from the beginning."""
    for attempt in range(1, _TRIES + 1):
        try:
            with engine.begin() as connection:
                return work(connection)
        except OperationalError as fault:
            if getattr(fault.orig, "sqlstate", None) not in _MET or attempt == _TRIES:
                raise
            time.sleep(random.uniform(0.01, 0.1) * attempt)  # noqa: S311, spreads load and guards nothing
    raise AssertionError("unreachable: the last try returns or raises")


def wait_for_no_disk(connection: Connection) -> None:
    """The transaction's commit need not be on disk: if PostgreSQL dies before it is, all of it is as if never done.

    Whatever is committed later, and waits for the disk, waits for this too.
    """
    connection.execute(text("set local synchronous_commit = off"))
