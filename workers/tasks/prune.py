"""prune: deletes what has been kept long enough."""

from celery import shared_task

from config import metrics
from config.settings import get_settings
from shipments.store.alone import Lock, alone
from shipments.store.prune import Retention, prune
from workers.resources import engine, ledger

PRUNE_SECONDS = 20


@shared_task(name="prune")
def prune_store() -> dict[str, int | str]:
    """Deletes batch by batch until nothing old enough is left or PRUNE_SECONDS have passed; the rest has time."""
    settings = get_settings()
    retention = Retention(settings.keep_messages_days, settings.keep_parked_days, settings.keep_parcels_days)
    with alone(engine(), Lock.PRUNER) as mine:
        if not mine:
            return {"skipped": "another worker prunes now"}
        pruned = prune(engine(), retention, PRUNE_SECONDS)
    for table, rows in pruned.gone.items():
        metrics.PRUNED.labels(table).inc(rows)
    ledger().post()
    return dict(pruned.gone)
