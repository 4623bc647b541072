"""Beat, polite and never alone twice: of several beats one wakes, and it wakes no stage that has not answered yet.

A lease in Redis says which one. It is renewed every second; when its holder is gone or stands still, another beat takes
it over within LEASE_SECONDS. Redis compares and renews in one step, so a holder that was frozen and comes back learns
that it lost the lease before it wakes anybody. While Redis is away nobody holds it, and nobody could be woken.
See docs/decisions/0009-one-schedule.md.

Wake-ups have no time at which they expire: Celery compares that time with the clock of the worker's host, and a host
whose clock is an hour fast would throw every wake-up away.
"""

import logging
import os
import secrets
import socket
import time
from typing import Any

from celery.beat import ScheduleEntry, Scheduler
from redis.exceptions import RedisError

from config.alive import Sign
from workers.enqueue import wake
from workers.resources import ledger, redis_client
from workers.watchdog import count_restart

log = logging.getLogger(__name__)

MOST_WAITING = 2
LEASE = "milepost:beat"
LEASE_SECONDS = 5

_TAKE_OR_RENEW = """
if redis.call('get', KEYS[1]) == ARGV[1] then
    return redis.call('pexpire', KEYS[1], ARGV[2])
end
return redis.call('set', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
"""


class PoliteScheduler(Scheduler):
    """Keeps nothing between starts: every entry is due within seconds anyway."""

    producer = None
    """Celery's own would wait for the broker for ever, and nobody could tell it from a beat that hangs."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._sign = Sign.of_this_process()
        self._token = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._standing = ""
        super().__init__(*arguments, **options)

    def setup_schedule(self) -> None:
        """Called once, by the beat that runs."""
        super().setup_schedule()
        count_restart(self._sign)

    def tick(self, *arguments: Any, **options: Any) -> float:
        """Renews the lease, or tries to get it, and does what is due; the seconds until the next tick."""
        self._stand(self._ask_for_lease())
        return float(super().tick(*arguments, **options))

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        """Wakes if the lease is ours, unless MOST_WAITING wake-ups wait: a worker that was away finds no heap."""
        if self._standing == _HOLDS and not self._is_waited_for(entry.options["queue"]):
            wake(entry.task, entry.options["queue"], *entry.args)
        self._show_life()

    def _ask_for_lease(self) -> str:
        try:
            mine = redis_client().eval(_TAKE_OR_RENEW, 1, LEASE, self._token, LEASE_SECONDS * 1000)
        except RedisError:
            return _IS_AWAY
        return _HOLDS if mine else _STANDS_BY

    def _stand(self, standing: str) -> None:
        if standing != self._standing:
            self._standing = standing
            log.info(standing)

    def _is_waited_for(self, queue: str) -> bool:
        try:
            return int(redis_client().llen(queue)) >= MOST_WAITING
        except RedisError:
            return True  # it went away this moment: nobody can be woken

    def _show_life(self) -> None:
        """Where entries come due, and not at every tick: a clock that was set back stops Celery's schedule."""
        try:
            self._sign.show(time.monotonic(), self._standing)
        except OSError as fault:
            log.warning("the sign of life cannot be written", extra={"fault": str(fault)})
        ledger().post()


_HOLDS = "this beat wakes the workers"
_STANDS_BY = "another beat wakes the workers; this one stands by"
_IS_AWAY = "Redis is away; nobody can be woken"
