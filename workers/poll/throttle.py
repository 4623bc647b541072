"""A carrier's limits, kept by all processes together in Redis, by its clock: nobody calls without a place.

For each limit Redis remembers the moment up to which calls have been given out (the generic cell rate algorithm). A
call gets the first moment that every limit allows; calls come evenly, and a limit of a day has a small burst. Losing
this memory costs at most one burst. While a carrier is paused, nobody gets a place before the pause ends.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import redis

from carriers.polling import Limit
from shipments.backoff import backoff

KEY = "milepost:poll:{carrier}:{account}"

MARGIN = 0.02
LEAST_MARGIN = timedelta(milliseconds=50)
"""A stretch of time is taken to be longer than the carrier says, by this share of it and at least by this much: calls
that leave evenly do not arrive so."""

_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=5), timedelta(minutes=15)

_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local paused_until = tonumber(redis.call('HGET', KEYS[1], 'paused_until') or '0')
local start = math.max(now, paused_until)
for i = 2, #ARGV, 2 do
    local given = tonumber(redis.call('HGET', KEYS[1], 'given:' .. i) or '0')
    start = math.max(start, given - ARGV[i + 1])
end
if start - now > tonumber(ARGV[1]) then
    return {0, start - now, start == paused_until and redis.call('HGET', KEYS[1], 'why') or ''}
end
for i = 2, #ARGV, 2 do
    local given = math.max(start, tonumber(redis.call('HGET', KEYS[1], 'given:' .. i) or '0'))
    redis.call('HSET', KEYS[1], 'given:' .. i, string.format('%.0f', given + ARGV[i]))
end
redis.call('PEXPIRE', KEYS[1], 172800000)
return {1, start - now, ''}
"""

_PAUSE = """
local clock = redis.call('TIME')
local ends = clock[1] * 1000000 + clock[2] + ARGV[1]
if ends > tonumber(redis.call('HGET', KEYS[1], 'paused_until') or '0') then
    redis.call('HSET', KEYS[1], 'paused_until', string.format('%.0f', ends), 'why', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], 172800000)
end
"""


class NoPlace(Exception):
    """No call may be made soon enough; the next one could be after `seconds`.

    paused: why the carrier is left alone so long; empty where its limits keep the call back.
    """

    def __init__(self, seconds: float, paused: str) -> None:
        super().__init__(f"no call for {seconds:.1f} s")
        self.seconds, self.paused = seconds, paused


class Throttle:
    """The limits of one carrier and account. Raises redis.RedisError where the server does; then nobody calls."""

    def __init__(
        self, client: redis.Redis, carrier: str, account: str, limits: Sequence[Limit], key: str = KEY
    ) -> None:
        self._client = client
        self._key = key.format(carrier=carrier, account=account)
        self._limits = [number for limit in limits for number in _as_cell(limit)]
        self._failing = True  # until it is looked at

    def take(self, longest: timedelta) -> float:
        """Takes the next place, at most that far ahead; the seconds to wait until it. Raises NoPlace."""
        granted, wait, why = self._eval(_TAKE, _micro(longest), *self._limits)
        if not granted:
            raise NoPlace(wait / 1e6, why.decode())
        return float(wait / 1e6)

    def pause(self, length: timedelta, why: str) -> None:
        """Keeps everybody off for so long from now; a longer pause that is there already stays."""
        self._eval(_PAUSE, _micro(length), why)

    def fail(self, why: str, asked_for: timedelta | None = None) -> timedelta:
        """It does not answer as it should: leaves it alone, longer each time, with jitter; how long.

        asked_for: how long it asks to be left alone; it is for no less.
        """
        failures = int(self._client.hincrby(self._key, "failures", 1))
        self._failing = True
        length = max(backoff(failures, _FIRST_PAUSE, _LONGEST_PAUSE), asked_for or timedelta(0))
        self.pause(length, why)
        return length

    def succeed(self) -> None:
        """The carrier has answered."""
        if self._failing:
            self._client.hdel(self._key, "failures")
            self._failing = False

    def failures(self) -> int:
        """Failures since it last answered."""
        failures: Any = self._client.hget(self._key, "failures")
        return int(failures or 0)

    def paused(self) -> tuple[float, str]:
        """For how many seconds from now it is left alone, and why; (0, "") if it is not."""
        ends, why = self._client.hmget(self._key, "paused_until", "why")
        seconds, micro = self._client.time()
        left = (int(ends or 0) - seconds * 1_000_000 - micro) / 1e6
        return (left, why.decode() if isinstance(why, bytes) else "") if left > 0 else (0.0, "")

    def _eval(self, script: str, *arguments: int | str) -> Any:
        return self._client.eval(script, 1, self._key, *arguments)


def _as_cell(limit: Limit) -> tuple[int, int]:
    """The gap between two calls, and how far they may run ahead of it, in microseconds.

    With the first `burst` at once and the others spread over the rest, no stretch of that length holds more than
    `calls`, wherever it begins.
    """
    per = limit.per + max(limit.per * MARGIN, LEAST_MARGIN)
    gap = per / (limit.calls - limit.burst + 1)
    return _micro(gap), _micro(gap * (limit.burst - 1))


def _micro(length: timedelta) -> int:
    return length // timedelta(microseconds=1)
