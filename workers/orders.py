"""Hearing of sales orders whose shipment state somebody changed, locked or unlocked in Odoo: one call a minute."""

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Engine, text

from shipments.store.keeps import note_keeps
from shipments.store.marks import find_mark, save_mark
from shipments.store.transaction import transact
from workers.correlate import Correlated, count_keeps
from workers.odoo.client import Odoo
from workers.odoo.fields import ORDER
from workers.odoo.index import OVERLAP
from workers.odoo.ownership import find_keep
from workers.odoo.states import people_changed, read_states

_READ = "odoo_orders_read"
READ_EVERY = timedelta(minutes=1)
_A_CALL = 2000


def watch_orders(engine: Engine, odoo: Odoo, tally: Correlated) -> None:
    """Notes who keeps which order, of those that anybody but us has written since the last time. At most once a minute.

    Those we wrote in between are found by reconcile.
    """
    with engine.connect() as connection:
        at: datetime = connection.execute(text("select now()")).scalar_one()
        mark = find_mark(connection, _READ) or {}
    if mark and at - datetime.fromisoformat(mark["at"]) < READ_EVERY:
        return
    since = datetime.fromisoformat(mark["at"]) - OVERLAP if mark else at - timedelta(days=1)
    changed, after, more = people_changed(odoo, since), 0, True
    while more:
        rows = read_states(odoo, ORDER, [("id", ">", after), *changed], limit=_A_CALL)
        keeps = {f"order:{row['id']}": find_keep(odoo, row) for row in rows}
        count_keeps(tally, transact(engine, partial(note_keeps, seen=keeps)))
        if more := len(rows) == _A_CALL:
            after = rows[-1]["id"]
    with engine.begin() as connection:
        save_mark(connection, _READ, {"at": at.isoformat()})
