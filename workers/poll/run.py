"""A run: for a while, asks one carrier about what is due, as fast as its limits allow, several calls at a time.

Nothing is lost wherever it is killed: a number stays claimed until its lease ends and is then due again, an answer goes
into intake before it is written down that the number was asked about, and an event that is told twice is one event.
"""

import logging
import os
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from math import ceil
from threading import Event as Flag
from threading import Lock

import redis
from sqlalchemy import Engine

from carriers.polling import Outcome
from config import metrics
from config.queues import BULK, ingest_queue
from shipments.clock import new_id, now
from shipments.rules.polling import Polling, plan
from shipments.store.intake import Intake, Intaken
from shipments.store.messages import keep_received
from shipments.store.polls import Claimed, Decided, claim_polls, find_new_keys, record_polls
from shipments.store.seal import Seal
from shipments.store.transaction import transact
from workers.enqueue import wake
from workers.poll.answer import Answer
from workers.poll.asker import Asker
from workers.poll.heard import Heard, decide, hear
from workers.poll.source import Source
from workers.poll.throttle import NoPlace, Throttle

log = logging.getLogger(__name__)

MOST_AT_ONCE = 32
"""Calls under way at one carrier in one run: enough for 160 a second where an answer takes 200 ms."""

OPENS_AFTER = 3
"""So many calls one after the other that get no answer end the run, and the carrier is left alone for a while."""

NOTED, LONGEST_NOTE = timedelta(seconds=30), timedelta(minutes=10)
"""A limit that allows no call for longer than the first is written down, so that nobody tries before the second."""


@dataclass(slots=True)
class Polled:
    """What a run did: calls made, numbers asked about and what came of them. Flower's task list shows it."""

    calls: int = 0
    asked: int = 0
    news: int = 0
    same: int = 0
    not_found: int = 0
    failed: int = 0
    later: int = 0
    stopped: int = 0
    more: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True)
class Stores:
    """Where what a run works on is kept."""

    engine: Engine
    intake: Intake
    seal: Seal


class Run:
    """One run. `go` is called once."""

    def __init__(self, source: Source, asker: Asker, throttle: Throttle, table: Polling, stores: Stores) -> None:
        self._source = source
        self._asker = asker
        self._throttle = throttle
        self._table = table
        self._stores = stores
        self._stopped = Flag()
        self._is_full = False
        self._has_all = False
        self._width = 1
        self._deciding = Lock()
        self._failures = 0
        self._again: list[tuple[Claimed, ...]] = []
        self._ends_at = 0.0
        self.polled = Polled()

    def go(self, seconds: float) -> Polled:
        """Asks until nothing is due, the time is over, or the carrier is to be left alone.

        Raises redis.RedisError and SQLAlchemyError where a store is away: then what was claimed is due again later.
        """
        self._ends_at = time.monotonic() + seconds
        if not self._throttle.failures():
            self._width = min(MOST_AT_ONCE, max(1, ceil(self._source.calls_per_second)))
        pending: set[Future[Heard]] = set()
        with ThreadPoolExecutor(self._width, thread_name_prefix=f"poll-{self._source.name}") as pool:
            try:
                while pending := pending | self._submit(pool, len(pending)):
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    self._settle([future.result() for future in done])
            finally:
                self._stopped.set()
        self.polled.more = not self._has_all and not self.polled.why
        return self.polled

    # ---- claiming

    def _submit(self, pool: ThreadPoolExecutor, under_way: int) -> set[Future[Heard]]:
        """New calls, twice as many as can be under way at once, so that no thread waits for the database."""
        if self._is_over():
            self._settle([Heard(claimed) for claimed in self._take_again()])
            return set()
        calls = self._take_again()
        while not calls and under_way <= self._width and not self._has_all and not self._is_over():
            calls = self._claim((2 * self._width - under_way) * self._source.poll.numbers_per_call)
        return {pool.submit(self._ask, claimed) for claimed in calls}

    def _claim(self, count: int) -> list[tuple[Claimed, ...]]:
        """Claims numbers, puts off those that need not be asked about now, and makes calls of the others."""
        claimed = transact(self._stores.engine, lambda connection: claim_polls(connection, self._source.name, count))
        self._has_all = len(claimed) < count
        at = now()
        plans = [(one, plan(one.known, self._table, at)) for one in claimed]
        put_off = [(o, p) for o, p in plans if not o.wanted and (p.due_at is None or p.due_at > at)]
        self._record(Decided(one, p.due_at - at if p.due_at else None, p.reason) for one, p in put_off)
        self.polled.later += len(put_off)
        spared = {one.number for one, _ in put_off}
        ask = [one for one in claimed if one.number not in spared]
        size = self._source.poll.numbers_per_call
        return [tuple(ask[start : start + size]) for start in range(0, len(ask), size)]

    def _take_again(self) -> list[tuple[Claimed, ...]]:
        calls, self._again = self._again, []
        return calls

    def _is_over(self) -> bool:
        return self._stopped.is_set() or self._is_full or time.monotonic() > self._ends_at

    # ---- asking: in the threads of the pool

    def _ask(self, claimed: tuple[Claimed, ...]) -> Heard:
        if self._stopped.is_set():
            return Heard(claimed)
        try:
            delay = self._throttle.take(timedelta(seconds=max(0.0, self._ends_at - time.monotonic())))
        except NoPlace as full:
            self._fill(full)
            return Heard(claimed)
        if self._stopped.wait(delay):
            return Heard(claimed)
        answer = self._asker.ask([one.tracking_number for one in claimed], os.urandom(16).hex())
        self._judge(answer)
        return hear(self._source.carrier, claimed, answer)

    def _fill(self, full: NoPlace) -> None:
        """No further call fits into this run; those that have a place are made."""
        if not self._is_full and full.paused:
            self.polled.why = full.paused
        elif not self._is_full and full.seconds > NOTED.total_seconds():
            self.polled.why = "its limit is used up"
            length = timedelta(seconds=min(full.seconds, LONGEST_NOTE.total_seconds()))
            self._throttle.pause(length, self.polled.why)
        self._is_full = True

    def _judge(self, answer: Answer) -> None:
        """Counts the answer; one that says that the carrier is to be left alone ends the run for all threads."""
        metrics.POLL_CALLS.labels(self._source.name, answer.outcome.value).inc()
        match answer.outcome:
            case Outcome.THROTTLED | Outcome.REFUSED:
                self._leave_alone(answer)
            case Outcome.AWAY:
                self._failures += 1
                if self._failures >= OPENS_AFTER or self._width == 1:
                    self._leave_alone(answer)
            case _:
                self._failures = 0
                if not self._stopped.is_set():
                    self._throttle.succeed()

    def _leave_alone(self, answer: Answer) -> None:
        with self._deciding:
            if self._stopped.is_set():  # this failure was counted; only a longer wish is news
                if answer.retry_after:
                    self._throttle.pause(answer.retry_after, answer.why)
                return
            self._stopped.set()
            pause = self._throttle.fail(answer.why, answer.retry_after)
        self.polled.why = answer.why
        advice = "; check its credentials and CARRIER_<NAME>_POLL_URL" if answer.outcome is Outcome.REFUSED else ""
        about = {"stage": "poll", "carrier": self._source.name}
        log.warning("left alone for %.0f s: %s%s", pause.total_seconds(), answer.why, advice, extra=about)

    # ---- what came of it

    def _settle(self, heard: Sequence[Heard]) -> None:
        """Puts into intake what is news, then writes down when each number is asked about again."""
        heard = [one for one in heard if not self._split(one)]
        if not heard:
            return
        keys = {key for one in heard for key in one.keys}
        new = transact(self._stores.engine, lambda connection: find_new_keys(connection, keys)) if keys else set()
        self._keep([self._message(one) for one in heard if one.answer and one.is_worth_keeping(new)])
        at = now()
        decided = [d for one in heard for d in decide(one, new, self._table, at)]
        self._record(decided)
        self._count(heard, decided)

    def _split(self, heard: Heard) -> bool:
        """Whether the carrier refused one of several numbers: then each half is asked about by itself."""
        if heard.answer is None or heard.answer.outcome is not Outcome.BAD_NUMBER or len(heard.claimed) == 1:
            return False
        middle = len(heard.claimed) // 2
        self._again += [heard.claimed[:middle], heard.claimed[middle:]]
        self.polled.calls += 1
        return True

    def _message(self, heard: Heard) -> Intaken:
        assert heard.answer is not None  # noqa: S101, only answers are kept
        message_id, trace = new_id(), os.urandom(16).hex()
        headers = {"content-type": heard.answer.content_type}
        sealed = self._stores.seal.close(message_id, heard.answer.body, headers)
        about = {"stage": "poll", "carrier": self._source.name, "message_id": str(message_id), "trace": trace}
        log.info("polled", extra=about | {"parcel": [one.tracking_number for one in heard.claimed]})
        return Intaken(message_id, self._source.name, "", BULK, now(), trace, sealed)

    def _keep(self, messages: Sequence[Intaken]) -> None:
        """On disk when it returns: in the stream, or in PostgreSQL where Redis is away."""
        if not messages:
            return
        try:
            kept = self._stores.intake.add_all(messages)
        except redis.RedisError:
            for message in messages:
                keep_received(self._stores.engine, message)
            return
        if any(one.wake for one in kept):
            wake("ingest", ingest_queue(BULK), BULK)

    def _record(self, decided: Iterable[Decided]) -> None:
        rows = list(decided)
        for calls in transact(self._stores.engine, lambda connection: record_polls(connection, rows)):
            self.polled.stopped += 1
            metrics.POLLS_PER_PARCEL.labels(self._source.name).observe(calls)

    def _count(self, heard: Sequence[Heard], decided: Sequence[Decided]) -> None:
        self.polled.calls += sum(one.answer is not None for one in heard)
        for outcome in filter(None, (d.outcome for d in decided)):
            field = _FIELDS.get(outcome, "failed")
            setattr(self.polled, field, getattr(self.polled, field) + 1)
            self.polled.asked += 1
            metrics.POLLED.labels(self._source.name, outcome).inc()


_FIELDS = {"news": "news", "same": "same", "not_found": "not_found", "bad_number": "not_found"}
