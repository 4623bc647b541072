"""sweep: feeds on what was kept in PostgreSQL instead of the stream, and messages marked for replay."""

import time
from dataclasses import asdict
from datetime import timedelta

from celery import shared_task

from config.queues import ACT, CORRELATE, LANES, SWEEP
from config.settings import get_settings
from shipments.store.alone import Lock, alone
from shipments.store.messages import find_received
from workers.bell import ring
from workers.enqueue import wake
from workers.ingest import Tally, ingest_batch
from workers.resources import engine, intake, ledger, policy, seal, suspects
from workers.suspects import Understand, by_id, take_again

SWEEP_SECONDS = 20
_PLACE = "messages"


@shared_task(name="sweep")
def sweep() -> dict[str, int]:
    """Ingests messages in state received, the oldest first, until there are none or SWEEP_SECONDS have passed."""
    total = Tally()
    with alone(engine(), Lock.SWEEPER) as mine:
        if mine:
            total = _sweep_all()
    if total.effects:
        ring("act", ACT)
    if total.unmatched:
        ring("correlate", CORRELATE)
    for lane in LANES:
        intake().forget_consumers(lane, timedelta(hours=1))
    ledger().post()
    return asdict(total)


def _sweep_all() -> Tally:
    ends_at = time.monotonic() + SWEEP_SECONDS
    total, last = Tally(), _sweep_batch()
    while last.read:
        total += last
        if time.monotonic() > ends_at:
            wake("sweep", SWEEP)
            break
        last = _sweep_batch()
    return total


def _sweep_batch() -> Tally:
    with engine().connect() as connection:
        messages = find_received(connection, get_settings().batch_size)
    chosen = suspects().choose(_PLACE, by_id(messages))
    if not chosen:
        return Tally()

    def ingest(understand: Understand) -> Tally:
        return ingest_batch(engine(), understand(chosen.values(), seal()), policy())

    return take_again(_PLACE, list(chosen), ingest)
