"""act: performs the effects that are due."""

import logging
import time
from dataclasses import asdict
from typing import Any

from celery import shared_task

from config.queues import ACT
from config.settings import get_settings
from shipments.errors import OdooAway, OdooRefused
from shipments.store.alone import Lock, alone
from shipments.store.effects import has_due, reclaim_effects
from shipments.store.transaction import transact
from workers.act import Done, act_round
from workers.bell import answer, ring
from workers.odoo.gate import pause, paused_until, resume
from workers.resources import engine, ledger, odoo

log = logging.getLogger(__name__)

ACT_SECONDS = 20
ROUND_SECONDS = 1.5
"""A round begins this long after one that left nothing: news in quick succession share their calls."""


@shared_task(name="act")
def act() -> dict[str, Any]:
    """Performs due effects, round by round, until there are none or ACT_SECONDS have passed.

    One who cannot leaves the bell rung, so that nobody rings for nothing; who can answers it again at the end.
    """
    if not get_settings().odoo_url:
        return {"skipped": "ODOO_URL is not set; effects wait"}
    if until := paused_until(engine()):
        return {"skipped": f"Odoo is away, next try after {until:%H:%M:%S} UTC"}
    tally = Done()
    with alone(engine(), Lock.ODOO_WRITER) as mine:
        if not mine:
            return {"skipped": "another worker writes to Odoo now"}
        answer("act")
        transact(engine(), reclaim_effects)
        try:
            _rounds(tally)
        except OdooAway as fault:
            pause(engine(), str(fault), fault.retry_after_seconds)
            log.warning("Odoo is away; effects wait", extra={"stage": "act", "fault": str(fault)})
        except OdooRefused as fault:
            # not a batch but the connection itself: a wrong key, a wrong database
            pause(engine(), str(fault))
            log.error("Odoo lets us not in; effects wait", extra={"stage": "act", "fault": str(fault)})  # noqa: TRY400
    _ring_if_due()
    ledger().post()
    return asdict(tally)


def _rounds(tally: Done) -> None:
    ends_at = time.monotonic() + ACT_SECONDS
    client = odoo()
    while True:
        began = time.monotonic()
        done = act_round(engine(), client, tally)
        if not done.performed:
            return
        resume(engine())
        if time.monotonic() > ends_at:
            return
        if not done.full:
            time.sleep(max(0.0, began + ROUND_SECONDS - time.monotonic()))


def _ring_if_due() -> None:
    """Effects that were committed while this task ended would else wait for beat."""
    answer("act")
    if paused_until(engine()):
        return
    with engine().connect() as connection:
        if has_due(connection):
            ring("act", ACT)
