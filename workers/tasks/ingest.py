"""ingest: drains an intake lane, batch by batch."""

import os
import socket
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from functools import partial

from celery import shared_task

from config.queues import ACT, CORRELATE, ingest_queue
from config.settings import get_settings
from shipments.store.intake import Entry
from workers.bell import ring
from workers.enqueue import wake
from workers.ingest import Tally, ingest_batch, ingest_free, settle_put_off
from workers.resources import engine, intake, ledger, policy, seal
from workers.suspects import Understand, take_again
from workers.understand import Understood, understand_all

DRAIN_SECONDS = 20
"""After this long a task hands over to a next one, well within its time limit."""

MANY = 100
GATHER_SECONDS, GATHER_LONGER_SECONDS = 0.1, 0.3
"""After a batch that was not full, so that the next one is larger: a transaction costs the same for one and for ten.
After one of MANY messages longer: a third of a second is nothing to wait where thousands come, and saves much."""

PUT_OFF_SECONDS = 1.0
"""For so long messages of parcels that another process is at work on are put off while there are others to store."""

SETTLED_AFTER = timedelta(seconds=1)
"""Where batches are of MANY messages, what follows from them comes so much later, once for all that is told of a parcel
meanwhile."""

IN_A_BACKLOG = 4
"""While there is a backlog it comes after so many times as long as the newest message waited in it. The longer it is
put off, the more is told of each parcel meanwhile; LONGEST (store/unsettled.py) bounds it."""

Read = tuple[bytes, Understood]
"""An entry of the stream, and what it turned out to be."""


@shared_task(name="ingest")
def ingest(lane: str) -> dict[str, int]:
    """Drains the lane's stream until it is empty or DRAIN_SECONDS have passed."""
    stream, consumer, size = intake(), f"{socket.gethostname()}:{os.getpid()}", get_settings().batch_size
    ends_at = time.monotonic() + DRAIN_SECONDS
    stream.begin_drain(lane)
    total = Tally()
    while time.monotonic() < ends_at and (entries := stream.recover(lane, consumer, size)):
        total += take_again(lane, [entry_id for entry_id, _ in entries], partial(_store_again, lane, entries))
    total += _drain(lane, consumer, ends_at)
    ledger().post()
    return asdict(total)


def _drain(lane: str, consumer: str, ends_at: float) -> Tally:
    """What waits in the stream. At the end nothing is left that was put off."""
    size, total = get_settings().batch_size, Tally()
    put_off: Sequence[Read] = ()
    since = 0.0
    while True:
        began = time.monotonic()
        room = size - len(put_off) if began < ends_at else 0
        entries = intake().take(lane, consumer, room)
        if not entries and not put_off:
            break
        since = since if put_off else began
        wait = not entries or began - since > PUT_OFF_SECONDS
        many, caught_up = len(entries) >= min(MANY, size), len(entries) < room
        reads = [*put_off, *_read(lane, entries, understand_all)]
        tally, put_off = _store(lane, reads, wait=wait, later=lane if many else None)
        total += tally
        if not many:
            total += _settle(lane)
        elif caught_up:
            total += _settle(lane, SETTLED_AFTER)
        else:
            total += _settle(lane, _after(entries[-1][0]))
        if caught_up:
            time.sleep(GATHER_LONGER_SECONDS if many else GATHER_SECONDS)
    total += _settle(lane)
    if began >= ends_at:
        wake("ingest", ingest_queue(lane), lane)
    return total


def _after(newest: bytes) -> timedelta:
    """How long settling is put off while there is a backlog, by the newest entry of a batch."""
    return max(SETTLED_AFTER, IN_A_BACKLOG * intake().waited(newest))


def _settle(lane: str, after: timedelta | None = None) -> Tally:
    """What was put off, by whomever: also by one that has died since. after: so long ago; None for all."""
    tally = settle_put_off(engine(), lane, policy(), after)
    _tell(tally)
    return tally


def _tell(tally: Tally) -> None:
    if tally.effects:
        ring("act", ACT)
    if tally.unmatched:
        ring("correlate", CORRELATE)


def _store_again(lane: str, entries: Sequence[Entry], understand: Understand) -> Tally:
    tally, _ = _store(lane, _read(lane, entries, understand), wait=True)
    return tally


def _read(lane: str, entries: Sequence[Entry], understand: Understand) -> list[Read]:
    """What the entries tell. One that is no message of ours is taken off the stream."""
    intake().finish(lane, [entry_id for entry_id, message in entries if message is None])
    ids = [entry_id for entry_id, message in entries if message]
    return list(zip(ids, understand((message for _, message in entries if message), seal()), strict=True))


def _store(lane: str, batch: Sequence[Read], *, wait: bool, later: str | None = None) -> tuple[Tally, list[Read]]:
    """Stores a batch and takes it off the stream; without `wait` what is put off stays there, and is returned.

    A batch that cannot be stored now stays this consumer's in the stream and is recovered at the next wake-up.
    """
    told = [understood for _, understood in batch]
    busy: Sequence[Understood] = ()
    if wait:
        tally = ingest_batch(engine(), told, policy(), later)
    else:
        tally, busy = ingest_free(engine(), told, policy(), later)
    left = {understood.verdict.message.id for understood in busy}
    put_off = [read for read in batch if read[1].verdict.message.id in left]
    intake().finish(lane, [entry_id for entry_id, understood in batch if understood.verdict.message.id not in left])
    _tell(tally)
    return tally, put_off
