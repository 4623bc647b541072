"""Reconcile: every open delivery of Odoo, and those that ended lately, against the store, a page at a time.

What differs is listed and, where it is to be mended, decided anew: effects become due again, and act performs them by
all its rules. Nothing is written to Odoo here. A comparison that is interrupted goes on where it stood.
"""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import Connection, Engine, text

from config import metrics
from shipments.rules.policy import Policy
from shipments.store.claims import weigh_claims
from shipments.store.deliveries import find_numbers_of, lock_shipments
from shipments.store.drift import close_deleted, forget_numbers
from shipments.store.effects import repeat_effects
from shipments.store.events import lock_parcels_with
from shipments.store.keeps import Noted, note_keeps
from shipments.store.settle import settle
from shipments.store.transaction import transact
from workers.correlate import Correlated, count_keeps, store_deliveries
from workers.odoo.client import Odoo, OdooTooSlow
from workers.odoo.drift import Drift, Findings, compare

PAGE, _LEAST_PAGE = 1000, 50
LOOKS_BACK = timedelta(days=60)
"""A delivery that nobody has written since then, and that is not open in the store, is not looked at."""

MOST_LISTED = 500
LONGEST_REST_SECONDS = 10.0


@dataclass
class Run:
    """A comparison and how far it has come; its fields are the report. since: ISO 8601.

    drift: differences by kind; listed: the first MOST_LISTED of them. kept: deliveries and orders that people keep.
    hidden: deliveries that Milepost's user may not see any more; they are left as they are.
    fault: why it ended before its end. page: deliveries compared at a time; halved when Odoo was not done in time.
    """

    since: str
    repair: bool
    nightly: bool = False
    after: int = 0
    deliveries: int = 0
    calls: int = 0
    kept: int = 0
    hidden: int = 0
    repaired: int = 0
    drift: dict[str, int] = field(default_factory=dict)
    listed: list[dict[str, str]] = field(default_factory=list)
    ended: bool = False
    fault: str = ""
    page: int = PAGE

    @classmethod
    def begin(cls, at: datetime, *, repair: bool, nightly: bool = False, since: datetime | None = None) -> Self:
        """A new one. at: the present moment by the database's clock."""
        return cls((since or at - LOOKS_BACK).isoformat(timespec="seconds"), repair, nightly)

    @property
    def found(self) -> int:
        return sum(self.drift.values())

    def to_dict(self) -> dict[str, Any]:
        """As it is stored."""
        return asdict(self)


def reconcile_page(engine: Engine, odoo: Odoo, policy: Policy, run: Run, limit: int = PAGE) -> None:
    """Compares the next page, and mends what differs if the run is to. Raises OdooAway or OdooRefused."""
    calls = odoo.calls
    try:
        found = compare(engine, odoo, run.after, datetime.fromisoformat(run.since), min(limit, run.page))
    except OdooTooSlow:
        run.page = max(_LEAST_PAGE, min(limit, run.page) // 2)
        raise
    if run.repair:
        run.repaired += _mend(engine, policy, found)
    _add(run, found)
    run.calls += odoo.calls - calls
    run.after, run.ended = found.last or run.after, found.last is None


def give_way(engine: Engine, seconds: float) -> None:
    """Rests so long, and longer while something waits for Odoo that somebody waits for. Some 15 seconds at most."""
    time.sleep(min(seconds, LONGEST_REST_SECONDS))
    ends_at = time.monotonic() + 5.0
    while _is_awaited(engine) and time.monotonic() < ends_at:
        time.sleep(0.2)


def _is_awaited(engine: Engine) -> bool:
    query = """
        select 1 from effects where state in ('due', 'claimed') and (told_at is null) = false and due_at <= now()
        order by kind, told_at is null, due_at limit 1
    """
    with engine.connect() as connection:
        return connection.execute(text(query)).first() is not None


def _mend(engine: Engine, policy: Policy, found: Findings) -> int:
    """How many differences will be gone once act has been through."""
    tally = Correlated()
    store_deliveries(engine, found.take_over, policy, tally)

    def work(connection: Connection) -> Noted:
        if found.gone:
            numbers = sorted(find_numbers_of(connection, found.gone))
            parcels = lock_parcels_with(connection, numbers)
            lock_shipments(connection, found.gone)
            forget_numbers(connection, found.gone)
            settle(connection, parcels, {*found.gone, *weigh_claims(connection, numbers)}, policy)
            close_deleted(connection, found.gone)
        repeat_effects(connection, found.repeat)
        repeat_effects(connection, found.renew, as_new=True)
        return note_keeps(connection, found.keeps)

    count_keeps(tally, transact(engine, work))
    return len(found.drift)


def _add(run: Run, found: Findings) -> None:
    run.deliveries += found.deliveries
    run.hidden += found.hidden
    run.kept += sum(1 for keep in found.keeps.values() if keep)
    kinds = Counter(drift.kind for drift in found.drift)
    for kind, count in kinds.items():
        metrics.DRIFT.labels(kind).inc(count)
    metrics.RECONCILED.inc(found.deliveries)
    run.drift = dict(Counter(run.drift) + kinds)
    run.listed += [drift._asdict() for drift in found.drift[: MOST_LISTED - len(run.listed)]]


def listed(run: Run) -> list[Drift]:
    """The differences that were written down."""
    return [Drift(**drift) for drift in run.listed]
