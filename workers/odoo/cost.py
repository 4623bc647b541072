"""What Milepost costs Odoo: every call of this process, added up until it is posted to the store."""

import logging
from collections import defaultdict

from celery import current_task
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from shipments.store.costs import Cost, add_costs
from shipments.store.transaction import transact
from workers.odoo.client import Call

log = logging.getLogger(__name__)

COMMAND = "command"


def purpose() -> str:
    """What the calls are made for: the stage whose task runs, or a command."""
    return str(current_task.name) if current_task else COMMAND


class Meter:
    """Adds up the calls of a process. Not to be shared between threads."""

    def __init__(self) -> None:
        self._costs: defaultdict[tuple[str, str, str], Cost] = defaultdict(Cost)

    def __bool__(self) -> bool:
        """Whether something waits to be posted."""
        return bool(self._costs)

    def note(self, call: Call) -> None:
        """One more call."""
        key = (purpose(), call.model, call.method)
        failed = int(call.outcome != "done")
        self._costs[key] += Cost(1, failed, call.rows, call.sent_bytes, call.received_bytes, call.seconds)

    def post(self, engine: Engine) -> None:
        """Adds what was spent since the last time to the store's account; keeps it for later if the store is away."""
        costs = dict(self._costs)
        try:
            transact(engine, lambda connection: add_costs(connection, costs))
        except SQLAlchemyError as fault:
            log.debug("what Odoo was asked is written down later", extra={"fault": type(fault).__name__})
        else:
            self._costs.clear()
