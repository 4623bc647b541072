"""sweep: feeds on what was kept in PostgreSQL instead of the stream, and messages marked for replay."""

import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta

from celery import shared_task
from sqlalchemy import Connection

from config.queues import ACT, CORRELATE, LANES, SWEEP
from config.settings import get_settings
from shipments.store.messages import claim_received
from shipments.store.transaction import transact
from workers.bell import ring
from workers.enqueue import wake
from workers.ingest import Tally, note_batch, store_batch
from workers.resources import engine, intake, ledger, policy, seal
from workers.understand import Understood, understand_all

SWEEP_SECONDS = 20


@shared_task(name="sweep")
def sweep() -> dict[str, int]:
    """Ingests messages in state received, the oldest first, until there are none or SWEEP_SECONDS have passed."""
    ends_at = time.monotonic() + SWEEP_SECONDS
    total, last = Tally(), _sweep_batch()
    while last.read:
        total += last
        if time.monotonic() > ends_at:
            wake("sweep", SWEEP)
            break
        last = _sweep_batch()
    if total.effects:
        ring("act", ACT)
    if total.unmatched:
        ring("correlate", CORRELATE)
    for lane in LANES:
        intake().forget_consumers(lane, timedelta(hours=1))
    ledger().post()
    return asdict(total)


def _sweep_batch() -> Tally:
    def work(connection: Connection) -> tuple[Sequence[Understood], Tally]:
        batch = understand_all(claim_received(connection, get_settings().batch_size), seal())
        return batch, store_batch(connection, batch, policy())

    batch, tally = transact(engine(), work)
    note_batch(batch, tally)
    return tally
