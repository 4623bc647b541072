"""Writing past others: two transactions that write the same record meet in Odoo as a conflict, which passes."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from config import metrics
from shipments.backoff import backoff
from shipments.effects import Kind
from workers.odoo.client import OdooConflict

TRIES = 4
FIRST_WAIT, LONGEST_WAIT = timedelta(milliseconds=200), timedelta(seconds=2)

T = TypeVar("T")


def past_conflicts(kind: Kind, perform: Callable[[], T]) -> T:
    """What the work returns. In conflict with somebody else's it is done again, after a wait with jitter.

    Raises OdooConflict when the last of TRIES failed, too. All that is written here may be written twice.
    """
    for tried in range(1, TRIES):
        try:
            return perform()
        except OdooConflict:
            metrics.ODOO_CONFLICTS.labels(kind.value).inc()
            time.sleep(backoff(tried, FIRST_WAIT, LONGEST_WAIT, jitter=0.5).total_seconds())
    return perform()
