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
from workers.odoo.budget import OdooBudgetSpent
from workers.odoo.gate import may_try, pause, paused_until, resume
from workers.odoo.pace import load_pace, save_pace
from workers.resources import engine, ledger, odoo, pace

log = logging.getLogger(__name__)

ACT_SECONDS = 20
LAST_KIND_SECONDS = 30
"""After this no further kind of effect is begun, so that a task ends before its time limit although Odoo is slow."""

ROUND_SECONDS = 1.5
"""A round begins this long after one that left nothing: news in quick succession share their calls."""


@shared_task(name="act")
def act() -> dict[str, Any]:
    """Performs due effects, round by round, until there are none or ACT_SECONDS have passed.

    One who cannot leaves the bell rung, so that nobody rings for nothing; who can answers it again at the end.
    """
    if not get_settings().odoo_url:
        return {"skipped": "ODOO_URL is not set; effects wait"}
    if (until := paused_until(engine())) and not may_try(engine()):
        return {"skipped": f"Odoo is away, next try after {until:%H:%M:%S} UTC"}
    tally, may_ring = Done(), True
    with alone(engine(), Lock.ODOO_WRITER) as mine:
        if not mine:
            return {"skipped": "another worker writes to Odoo now"}
        answer("act")
        transact(engine(), reclaim_effects)
        load_pace(engine(), pace())
        try:
            _try_if_open()
            _rounds(tally)
        except OdooBudgetSpent as fault:
            log.info("no more calls to Odoo for now; effects wait", extra={"stage": "act", "fault": str(fault)})
            may_ring = False
        except OdooAway as fault:
            pause(engine(), str(fault), fault.retry_after_seconds)
            log.warning("Odoo is away; effects wait", extra={"stage": "act", "fault": str(fault)})
        except OdooRefused as fault:
            # not a batch but the connection itself: a wrong key, a wrong database
            pause(engine(), str(fault))
            log.error("Odoo lets us not in; effects wait", extra={"stage": "act", "fault": str(fault)})  # noqa: TRY400
        finally:  # also where Odoo was so slow that the task's own time limit ended it
            pace().adapt()
            save_pace(engine(), pace())
    if may_ring:
        _ring_if_due()
    ledger().post()
    return asdict(tally)


def _try_if_open() -> None:
    """Where the circuit is open and its time is over: one call, whatever is due. If it gets through, all may call."""
    if may_try(engine()):
        odoo().call("res.users", "context_get")
        resume(engine())


def _rounds(tally: Done) -> None:
    """While Odoo is slow, it is left alone after each round, also after a full one."""
    started = time.monotonic()
    client = odoo()
    while True:
        began = time.monotonic()
        done = act_round(engine(), client, tally, pace(), started + LAST_KIND_SECONDS)
        if not done.performed:
            return
        resume(engine())
        pace().adapt()
        worked = time.monotonic() - began
        time.sleep(max(pace().rest_seconds(worked), 0.0 if done.full else ROUND_SECONDS - worked))
        if time.monotonic() > started + ACT_SECONDS:
            return


def _ring_if_due() -> None:
    """Effects that were committed while this task ended would else wait for beat: soon enough for a slow Odoo."""
    answer("act")
    if pace().level or paused_until(engine()):
        return
    with engine().connect() as connection:
        if has_due(connection):
            ring("act", ACT)
