"""The watchdog: a worker that lives and consumes nothing shows no progress, and whoever keeps it starts it again.

Celery workers are known to live on without consuming after they lost Redis (celery/celery issues 8030, 8091 and
10205), and any process may hang or be stopped. So the worker's main process shows when it last made progress, see
config/alive.py. Progress means both:

- its event loop turns;
- a task was taken or finished, or nothing waits in its queues, or all its processes are busy with tasks that are
  within their time limit.

While Redis is away, or takes no writes, nobody could consume, so that counts as progress: a restart would not help.
Beat wakes every queue within seconds (workers/beat.py), so a worker that is well always has something to take.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from celery import bootsteps
from celery.worker import state
from redis import Redis, RedisError

from config import metrics
from config.alive import Sign
from config.embedded.keep import LAST_END
from config.settings import get_settings
from shipments.store.intake import connect
from workers.celery import TASK_LIMIT_SECONDS, app
from workers.resources import ledger

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
BROKER_SECONDS = 2.0

_WRITABLE = "milepost:watchdog"


class Progress:
    """When a worker last made progress. `turn` is called from its event loop, `look` from beside it."""

    def __init__(self, slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._slots = slots
        self._clock = clock
        self._turned_at = self._consumed_at = clock()
        self._counted: tuple[int, int] = (0, 0)
        self._running: dict[int, float] = {}

    def turn(self, accepted: int, running: Sequence[int]) -> None:
        """The event loop turns. accepted: tasks begun since the start. running: one number for each that runs now."""
        now = self._turned_at = self._clock()
        if self._counted != (counted := (accepted, len(running))):
            self._counted, self._consumed_at = counted, now
        self._running = {task: self._running.get(task, now) for task in running}

    def look(self, waiting: Sequence[str]) -> tuple[float, str]:
        """The moment of the last progress, and in words what is the matter. waiting: queues with wake-ups in them."""
        now = self._clock()
        busy = sum(now - began < TASK_LIMIT_SECONDS for began in self._running.values())
        if not waiting or busy >= self._slots:
            self._consumed_at = now
        if self._turned_at < self._consumed_at:
            return self._turned_at, "then its event loop last turned"
        return self._consumed_at, f"then it last had a task or none waited; now: {', '.join(waiting) or 'none'}"

    def excuse(self) -> float:
        """Nobody could have made progress until now."""
        self._turned_at = self._consumed_at = self._clock()
        return self._clock()


class Watch:
    """Looks every LOOK_SECONDS, in a thread of the worker's main process, and shows what it saw."""

    def __init__(self, sign: Sign, progress: Progress, queues: Sequence[str], client: Redis) -> None:
        self._sign = sign
        self._progress = progress
        self._queues = queues
        self._client = client
        self._looking = threading.Lock()
        self._stopped = threading.Event()

    def start(self) -> None:
        # A child that is forked while another thread holds a lock of some library would find it held for ever.
        os.register_at_fork(
            before=self._looking.acquire, after_in_parent=self._looking.release, after_in_child=self._looking.release
        )
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def look(self) -> None:
        """Shows the sign of life once."""
        try:
            progressed_at, words = self._progress.look(self._waiting())
        except RedisError:
            progressed_at, words = self._progress.excuse(), "Redis is away or takes no writes"
        try:
            self._sign.show(progressed_at, words)
        except OSError as fault:
            log.warning("the sign of life cannot be written", extra={"fault": str(fault)})
        ledger().post()

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            with self._looking:
                self.look()

    def _waiting(self) -> list[str]:
        pipe = self._client.pipeline(transaction=False)
        for queue in self._queues:
            pipe.llen(queue)
        waiting = [queue for queue, length in zip(self._queues, pipe.execute(), strict=True) if length]
        if waiting:
            self._client.set(_WRITABLE, 1, ex=60)  # a Redis that takes no writes lets nobody take a task either
        return waiting


class Watchdog(bootsteps.StartStopStep):
    """Part of a worker whose keeper wants a sign of life."""

    requires = ("celery.worker.components:Hub", "celery.worker.components:Pool")

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self._sign = Sign.of_this_process()
        self._progress = Progress(worker.concurrency)
        self._watch: Watch | None = None

    def include_if(self, worker: Any) -> bool:
        return Sign.of_this_process().file is not None

    def start(self, worker: Any) -> None:
        count_restart(self._sign)
        queues = list(worker.app.amqp.queues.consume_from)
        self._watch = Watch(self._sign, self._progress, queues, connect(get_settings().redis_url, BROKER_SECONDS))
        self._watch.start()

    def stop(self, worker: Any) -> None:
        if self._watch:
            self._watch.stop()

    def register_with_event_loop(self, worker: Any, hub: Any) -> None:
        """Called at each connection; Celery drops what was registered when that is lost."""
        hub.call_repeatedly(LOOK_SECONDS, self._turn)

    def _turn(self) -> None:
        self._progress.turn(state.all_total_count[0], [id(request) for request in list(state.active_requests)])


def count_restart(sign: Sign) -> None:
    """Counts that the process before this one ended or was silent, if its keeper says so."""
    if reason := os.environ.get(LAST_END):
        account = ledger()  # made here, so that children forked later do not post the parent's counts as their own
        metrics.RESTARTS.labels(sign.name, reason).inc()
        account.post()


app.steps["worker"].add(Watchdog)
