"""Messages that may kill the process that works on them: how often that was so, and what is done about it.

An error is caught and parks a message. A crash, memory that runs out or a task's time limit ends the process, and the
message stays where it was: somebody else takes it, and dies too. So whoever takes messages that were taken before
counts the take first, and takes the count back unless it dies. A database that is away ends a take with an error,
not with a death, and makes nobody suspect.

What shared ALONE_AFTER deaths with others is taken alone from then on, so its neighbors get through; what was there at
PARK_AFTER deaths is parked unread.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import redis

T = TypeVar("T")

ALONE_AFTER = 2
PARK_AFTER = 5
REASON = (
    f"the process that worked on it died {PARK_AFTER} times (a crash, out of memory, or the time limit), the last times"
    " while it worked on nothing else: read the worker's log, mend the parser or give it memory, then replay it"
)

_KEY = "milepost:suspects:{place}"
_FORGOTTEN_AFTER_SECONDS = 24 * 3600  # of a message that somebody finished who did not know that it was suspected


class Suspects:
    """The deaths counted at each place where messages wait: a lane's stream, or the table of messages."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def deaths(self, place: str, ids: Sequence[bytes]) -> dict[bytes, int]:
        """How many processes died over each; those without are left out."""
        if not ids:
            return {}
        counts: Any = self._client.hmget(_KEY.format(place=place), ids)
        return {i: int(count) for i, count in zip(ids, counts, strict=True) if count}

    def note_first(self, place: str, ids: Sequence[bytes]) -> None:
        """They were taken over from somebody who had not counted his take: his death is the first."""
        self._each(place, ids, lambda pipe, key, i: pipe.hsetnx(key, i, 1))

    def choose(self, place: str, waiting: Mapping[bytes, T]) -> dict[bytes, T]:
        """What to take next of these: all that are not suspected, or else the one suspect with the fewest deaths."""
        deaths = self.deaths(place, list(waiting))
        innocent = {i: it for i, it in waiting.items() if deaths.get(i, 0) < ALONE_AFTER}
        if innocent or not waiting:
            return innocent
        least = min(waiting, key=lambda i: deaths[i])
        return {least: waiting[least]}

    @contextmanager
    def counted(self, place: str, ids: Sequence[bytes]) -> Iterator[None]:
        """A take: if the process dies in it, that stays counted; an error takes the count back; success forgets."""
        self._each(place, ids, lambda pipe, key, i: pipe.hincrby(key, i, 1))
        try:
            yield
        except BaseException:
            with suppress(redis.RedisError):
                self._each(place, ids, lambda pipe, key, i: pipe.hincrby(key, i, -1))
            raise
        self._client.hdel(_KEY.format(place=place), *ids)

    def _each(self, place: str, ids: Sequence[bytes], change: Any) -> None:
        if ids:
            key = _KEY.format(place=place)
            pipe = self._client.pipeline(transaction=False)
            for i in ids:
                change(pipe, key, i)
            pipe.expire(key, _FORGOTTEN_AFTER_SECONDS)
            pipe.execute()
