"""Beat, polite: it does not wake a stage that has not answered the last call yet.

Wake-ups have no time at which they expire: Celery compares that time with the clock of the worker's host, and a host
whose clock is an hour fast would throw every wake-up away.
"""

from typing import Any

from celery.beat import ScheduleEntry, Scheduler
from redis.exceptions import RedisError

from workers.resources import redis_client

MOST_WAITING = 2


class PoliteScheduler(Scheduler):
    """Keeps nothing between starts: every entry is due within seconds anyway."""

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Wakes, unless MOST_WAITING wake-ups wait in the queue already: a worker that was away finds no heap."""
        if not self._is_waited_for(entry.options["queue"]):
            super().apply_entry(entry, producer=producer)

    def _is_waited_for(self, queue: str) -> bool:
        try:
            return int(redis_client().llen(queue)) >= MOST_WAITING
        except RedisError:
            return False  # the broker is away: Celery says so, and connects again
