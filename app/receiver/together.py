"""Messages that arrive at the same moment go into the stream together: one round trip and one fsync for all of them."""

import threading
from collections import deque
from dataclasses import dataclass

import redis

from shipments.store.intake import Intake, Intaken, Kept

_MOST_TOGETHER = 64


@dataclass(slots=True)
class _Waiting:
    message: Intaken
    kept: Kept | None = None
    fault: Exception | None = None


class Together(Intake):
    """An intake for several threads of one lane: whoever gets the turn adds for all that wait by then."""

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self._queue: deque[_Waiting] = deque()
        self._turn = threading.Lock()

    def add(self, message: Intaken) -> Kept:
        """When this returns, the message is on disk. Raises RedisError, as Intake does."""
        mine = _Waiting(message)
        self._queue.append(mine)
        with self._turn:
            while mine.kept is None and mine.fault is None:
                self._add_all()
        if mine.kept is None:
            raise redis.RedisError("the stream did not take the message") from mine.fault
        return mine.kept

    def _add_all(self) -> None:
        waiting = self._next(_MOST_TOGETHER)
        try:
            kept = self.add_all([w.message for w in waiting])
        except Exception as fault:  # noqa: BLE001, whatever it is, each one that waits has to hear it
            # also those who came meanwhile: they would wait for the same silence once more
            for each in waiting + self._next(len(self._queue)):
                each.fault = fault
        else:
            for each, answer in zip(waiting, kept, strict=True):
                each.kept = answer

    def _next(self, count: int) -> list[_Waiting]:
        return [self._queue.popleft() for _ in range(min(len(self._queue), count))]
