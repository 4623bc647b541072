"""correlate: keeps the index of tracking numbers, and finds the deliveries of parcels that wait for one."""

import logging
from dataclasses import asdict
from typing import Any

from celery import shared_task

from config.queues import ACT
from config.settings import get_settings
from shipments.errors import OdooAway, OdooRefused
from shipments.store.alone import Lock, alone
from workers.bell import answer, ring
from workers.correlate import Correlated, link_strangers, look_up_strangers, pull_changes
from workers.odoo.budget import OdooBudgetSpent
from workers.odoo.expiry import watch_key
from workers.odoo.gate import pause, paused_until
from workers.orders import watch_orders
from workers.resources import engine, ledger, odoo, policy

log = logging.getLogger(__name__)


@shared_task(name="correlate")
def correlate() -> dict[str, Any]:
    """One pull of what changed in Odoo, then the strangers: those the index knows by now, those it does not."""
    answer("correlate")
    if not get_settings().odoo_url:
        return {"skipped": "ODOO_URL is not set; parcels wait for their deliveries"}
    if until := paused_until(engine()):
        return {"skipped": f"Odoo is away, next try after {until:%H:%M:%S} UTC"}
    tally = Correlated()
    with alone(engine(), Lock.ODOO_READER) as mine:
        if not mine:
            return {"skipped": "another worker reads from Odoo now"}
        try:
            pull_changes(engine(), odoo(), policy(), tally)
            watch_orders(engine(), odoo(), tally)
            link_strangers(engine(), policy(), tally)
            look_up_strangers(engine(), odoo(), policy(), tally)
            watch_key(engine(), odoo())
        except OdooBudgetSpent as fault:
            log.info("no more calls to Odoo for now; the rest waits", extra={"stage": "correlate", "fault": str(fault)})
        except OdooAway as fault:
            pause(engine(), str(fault), fault.retry_after_seconds)
            log.warning("Odoo is away; parcels wait", extra={"stage": "correlate", "fault": str(fault)})
        except OdooRefused as fault:
            log.error("Odoo does not let us read", extra={"stage": "correlate", "fault": str(fault)})  # noqa: TRY400
    if tally.effects:
        ring("act", ACT)
    ledger().post()
    return asdict(tally)
