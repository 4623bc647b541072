"""What Odoo is asked at most: calls at once and calls a minute, kept in Redis by its clock for all processes together.

What is written to Odoo goes first: everything else may use all places but one, and half of the calls of a minute. While
Redis is away there is no budget to keep: no task is started either, and one that runs makes a call after the other.
"""

import logging
import random
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import redis

from carriers.polling import Limit
from shipments.errors import OdooAway
from workers.odoo.cost import COMMAND, purpose
from workers.poll.throttle import NoPlace, Throttle

log = logging.getLogger(__name__)

LONGEST_WAIT = timedelta(seconds=10)
"""For a place. Shorter than a task may take; after that the task ends, and what it wanted to do stays due."""

URGENT = ("act", COMMAND)
"""What is written to Odoo, and what a person waits for."""

_PLACES = "milepost:odoo:{database}:places"
_RATE = "milepost:odoo:{account}:{carrier}"

_ENTER = """
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[1]) then return 0 end
redis.call('ZADD', KEYS[1], now + ARGV[3], ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""


class OdooBudgetSpent(OdooAway):
    """No call may be made soon enough by our own budget. Odoo is well: this opens no circuit."""


class Budget:
    """The budget of one Odoo. longest_call: a place that is held for longer was its holder's who is gone."""

    def __init__(
        self, client: redis.Redis, database: str, calls_a_minute: int, at_once: int, longest_call: timedelta
    ) -> None:
        self._client = client
        self._at_once = at_once
        self._calls_a_minute = calls_a_minute
        self._lease = longest_call // timedelta(milliseconds=1)
        self._places = _PLACES.format(database=database)
        self._all = Throttle(client, "all", database, [_limit(calls_a_minute)], key=_RATE)
        self._patient = Throttle(client, "patient", database, [_limit(max(1, calls_a_minute // 2))], key=_RATE)

    @contextmanager
    def place(self) -> Iterator[None]:
        """Waits for a place, and holds it for one call. Raises OdooBudgetSpent after LONGEST_WAIT."""
        try:
            token = self._wait(urgent=purpose() in URGENT)
        except redis.RedisError as fault:
            log.debug("Redis is away; no budget is kept", extra={"fault": type(fault).__name__})
            yield
            return
        try:
            yield
        finally:
            self._leave(token)

    def _wait(self, *, urgent: bool) -> str:
        ends_at = time.monotonic() + LONGEST_WAIT.total_seconds()
        for throttle in [self._all] if urgent else [self._patient, self._all]:
            try:
                time.sleep(throttle.take(timedelta(seconds=max(0.0, ends_at - time.monotonic()))))
            except NoPlace as full:
                used = f"The {self._calls_a_minute} calls a minute of ODOO_CALLS_PER_MINUTE are used up."
                raise OdooBudgetSpent(used, full.seconds) from None
        token, most = secrets.token_hex(8), self._at_once if urgent else max(1, self._at_once - 1)
        while not self._client.eval(_ENTER, 1, self._places, most, token, self._lease):
            if time.monotonic() > ends_at:
                busy = f"{most} of the calls at once of ODOO_CONCURRENT_CALLS are under way, and none ends."
                raise OdooBudgetSpent(busy, 1)
            time.sleep(random.uniform(0.02, 0.08))  # noqa: S311, spreads load and guards nothing
        return token

    def _leave(self, token: str) -> None:
        try:
            self._client.zrem(self._places, token)
        except redis.RedisError as fault:  # the place ends with its lease
            log.debug("Redis is away; a place is given back later", extra={"fault": type(fault).__name__})


def _limit(calls_a_minute: int) -> Limit:
    """A tenth of a minute's calls may go at once, the others spread over the minute."""
    return Limit(calls_a_minute, timedelta(minutes=1), burst=max(1, calls_a_minute // 10))
