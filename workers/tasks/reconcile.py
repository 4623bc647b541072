"""reconcile: compares Odoo with the store, once a night."""

import logging
import time
from datetime import UTC, datetime
from typing import Any

from celery import shared_task
from sqlalchemy import Connection, text

from config.queues import ACT
from config.settings import get_settings
from shipments.errors import OdooAway, OdooRefused
from shipments.store.alone import Lock, alone
from shipments.store.reports import Report, find_report, save_report, start_report
from workers.bell import ring
from workers.odoo.budget import OdooBudgetSpent
from workers.odoo.client import OdooLockedOut
from workers.odoo.gate import pause, paused_until
from workers.odoo.pace import load_pace
from workers.odoo.reconcile import Run, give_way, reconcile_page
from workers.resources import engine, ledger, odoo, pace, policy

log = logging.getLogger(__name__)

RECONCILE_SECONDS = 10
"""Short, since the pull of numbers waits for the same worker."""


@shared_task(name="reconcile")
def reconcile() -> dict[str, Any]:
    """Goes on with the night's comparison for RECONCILE_SECONDS, or begins it when its hour has come."""
    if not get_settings().odoo_url:
        return {"skipped": "ODOO_URL is not set; there is nothing to compare"}
    if until := paused_until(engine()):
        return {"skipped": f"Odoo is away, next try after {until:%H:%M:%S} UTC"}
    with alone(engine(), Lock.RECONCILER) as mine:
        if not mine:
            return {"skipped": "another worker compares now"}
        with engine().begin() as connection:
            report = find_or_start_night(connection, get_settings().reconcile_hour)
        if report is None:
            return {"skipped": "compared already, or not yet time"}
        run = Run(**report.report)
        try:
            _pages(report.id, run)
        except OdooBudgetSpent as fault:
            about = {"stage": "reconcile", "fault": str(fault)}
            log.info("no more calls to Odoo for now; the comparison goes on later", extra=about)
        except OdooAway as fault:
            _save(report.id, run)
            pause(engine(), str(fault), fault.retry_after_seconds)
            log.warning("Odoo is away; the comparison goes on later", extra={"stage": "reconcile", "fault": str(fault)})
        except OdooLockedOut as fault:
            # not this comparison but the connection itself, which somebody will mend
            _save(report.id, run)
            pause(engine(), str(fault))
            about = {"stage": "reconcile", "fault": str(fault)}
            log.error("Odoo lets us not in; the comparison goes on later", extra=about)  # noqa: TRY400
        except OdooRefused as fault:
            run.ended, run.fault = True, str(fault)
            _save(report.id, run)
            log.error("the comparison ended", extra={"stage": "reconcile", "fault": str(fault)})  # noqa: TRY400
    if run.found:
        ring("act", ACT)
    ledger().post()
    return {name: value for name, value in run.to_dict().items() if name != "listed"}


def find_or_start_night(connection: Connection, hour: int) -> Report | None:
    """The night's comparison that has not ended; a new one if that hour (UTC) has passed since the last began."""
    last = find_report(connection, nightly=True)
    if last and last.ended_at is None:
        return last
    at: datetime = connection.execute(text("select now()")).scalar_one().astimezone(UTC)
    due = at.replace(hour=hour, minute=0, second=0, microsecond=0)
    if at < due or (last and last.began_at >= due):
        return None
    start_report(connection, Run.begin(at, repair=True, nightly=True).to_dict())
    return find_report(connection, nightly=True)


def _pages(report: int, run: Run) -> None:
    """Odoo is left alone as long as a page took, and longer while it is slow."""
    ends_at = time.monotonic() + RECONCILE_SECONDS
    load_pace(engine(), pace())
    while not run.ended:
        began = time.monotonic()
        reconcile_page(engine(), odoo(), policy(), run)
        _save(report, run)
        worked = time.monotonic() - began
        if not run.ended:
            give_way(engine(), max(worked, pace().rest_seconds(worked)))
        if time.monotonic() > ends_at:
            return


def _save(report: int, run: Run) -> None:
    with engine().begin() as connection:
        save_report(connection, report, run.to_dict(), ended=run.ended)
