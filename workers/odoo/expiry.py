"""Watching when the API key ends: read from Odoo once an hour, kept in the store, shown in health and metrics."""

import logging
from datetime import datetime, timedelta

from sqlalchemy import Engine

from shipments.clock import now
from shipments.errors import OdooRefused
from shipments.store.marks import ODOO_KEY, find_mark, save_mark
from workers.odoo.client import Odoo
from workers.odoo.keys import ENDS_SOON, days_left, find_keys

log = logging.getLogger(__name__)

EVERY = timedelta(hours=1)


def watch_key(engine: Engine, odoo: Odoo) -> None:
    """Notes when the key that ends first ends, if that was not looked up within the hour; warns in its last 14 days."""
    with engine.connect() as connection:
        mark = find_mark(connection, ODOO_KEY)
    if mark and now() - datetime.fromisoformat(mark["read_at"]) < EVERY:
        return
    try:
        ends = next((key.ends for key in find_keys(odoo)), None)
    except OdooRefused as refusal:
        log.warning("when the API key ends cannot be seen", extra={"stage": "correlate", "fault": str(refusal)})
        ends = None
    with engine.begin() as connection:
        save_mark(connection, ODOO_KEY, {"ends": ends.isoformat() if ends else None, "read_at": now().isoformat()})
    if ends and ends - now() < ENDS_SOON:
        about = {"stage": "correlate", "days": int(days_left(ends))}
        log.warning("the API key for Odoo ends soon: run milepost odoo rotate-key", extra=about)
