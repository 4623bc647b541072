"""ingest: drains an intake lane, batch by batch."""

import os
import socket
import time
from dataclasses import asdict
from functools import partial

from celery import shared_task

from config.queues import ACT, CORRELATE, ingest_queue
from config.settings import get_settings
from shipments.store.intake import Entry
from workers.bell import ring
from workers.enqueue import wake
from workers.ingest import Tally, ingest_batch
from workers.resources import engine, intake, ledger, policy, seal
from workers.suspects import Understand, take_again
from workers.understand import understand_all

DRAIN_SECONDS = 20
"""After this long a task hands over to a next one, well within its time limit."""

GATHER_SECONDS = 0.1
"""After a batch that was not full, so that the next one is larger: a transaction costs the same for one and for ten."""


@shared_task(name="ingest")
def ingest(lane: str) -> dict[str, int]:
    """Drains the lane's stream until it is empty or DRAIN_SECONDS have passed."""
    stream, consumer, size = intake(), f"{socket.gethostname()}:{os.getpid()}", get_settings().batch_size
    ends_at = time.monotonic() + DRAIN_SECONDS
    stream.begin_drain(lane)
    total = Tally()
    while time.monotonic() < ends_at and (entries := stream.recover(lane, consumer, size)):
        ids = [entry_id for entry_id, _ in entries]
        total += take_again(lane, ids, partial(_one_batch, lane, entries))
    entries = stream.take(lane, consumer, size)
    while entries:
        total += _one_batch(lane, entries)
        if time.monotonic() > ends_at:
            wake("ingest", ingest_queue(lane), lane)
            break
        if len(entries) < size:
            time.sleep(GATHER_SECONDS)
        entries = stream.take(lane, consumer, size)
    ledger().post()
    return asdict(total)


def _one_batch(lane: str, entries: list[Entry], understand: Understand = understand_all) -> Tally:
    """A batch that cannot be stored now stays this consumer's in the stream and is recovered at the next wake-up."""
    batch = understand((message for _, message in entries if message), seal())
    tally = ingest_batch(engine(), batch, policy())
    intake().finish(lane, [entry_id for entry_id, _ in entries])
    if tally.effects:
        ring("act", ACT)
    if tally.unmatched:
        ring("correlate", CORRELATE)
    return tally
