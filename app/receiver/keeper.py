"""Keeping a message: in the stream, else in the database, else not at all, and then the carrier is told to try again.

Redis and PostgreSQL are asked with short timeouts, and after a failure left alone for a moment: carriers give up after
three to seven seconds, and eight waiting threads are a receiver that is closed.
"""

import logging
import time
from collections.abc import Callable

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.patience import Patience
from app.receiver.pipelined import ANSWER_SECONDS, CONNECT_SECONDS
from shipments.errors import NotStored
from shipments.store.intake import Intake, Intaken, Kept
from shipments.store.messages import keep_received

log = logging.getLogger(__name__)

PAUSE_SECONDS = 1.0
DATABASE_SECONDS = 3.0


def connect_briefly(url: str) -> redis.Redis:
    """A client for the door: 0.3 s to connect, 2 s for an answer, one more try where a pooled connection had died.

    redis-py would otherwise try again three times with pauses, and carriers do not wait that long. An answer that
    came too late is not asked for again: the database takes the message, and its id keeps the two copies one.
    """
    again = Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,))
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=again,
        health_check_interval=30,
    )


class Pause:
    """Says whether something that just failed, or was just full, should be left alone for now."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._until = float("-inf")

    def begin(self) -> None:
        self._until = self._now() + PAUSE_SECONDS

    def __bool__(self) -> bool:
        return self._now() < self._until


class Keeper:
    """Keeps messages. None for a store means there is none.

    max_length: messages that may wait in one stream; above it the database takes the next second's messages.
    wake: called with the lane when a worker should look; must neither wait nor raise, as the message is kept by then.
    fell_back: called when a message went to the database.
    """

    def __init__(
        self,
        intake: Intake | None,
        engine: Engine | None,
        *,
        max_length: int,
        wake: Callable[[str], object],
        fell_back: Callable[[], None] = lambda: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.intake = intake
        self.engine = engine
        self._max_length = max_length
        self._wake = wake
        self._fell_back = fell_back
        self._stream_pause = Pause(now)
        self._database_pause = Pause(now)
        self._patience = Patience(DATABASE_SECONDS)

    def keep(self, message: Intaken) -> None:
        """When this returns, the message is on disk. Raises NotStored."""
        kept = self._into_stream(message)
        if kept is None:
            self._into_database(message)
            self._fell_back()
        elif kept.wake:
            self._wake(message.lane)

    def _into_stream(self, message: Intaken) -> Kept | None:
        if self.intake is None or self._stream_pause:
            return None
        try:
            kept = self.intake.add(message)
        except redis.RedisError as fault:
            self._stream_pause.begin()
            log.warning(
                "redis failed, messages go to the database", extra={"fault": type(fault.__cause__ or fault).__name__}
            )
            return None
        if kept.length > self._max_length:
            self._stream_pause.begin()
            log.warning("the stream is full, messages go to the database", extra={"stage": "receive"})
        return kept

    def _into_database(self, message: Intaken) -> None:
        if self.engine is None or self._database_pause:
            raise NotStored("neither Redis nor PostgreSQL can keep a message now")
        try:
            self._patience.call(keep_received, self.engine, message)
        except (SQLAlchemyError, TimeoutError) as fault:
            self._database_pause.begin()
            log.error("the database failed too", extra={"fault": type(fault).__name__})  # noqa: TRY400, its text may quote the row
            raise NotStored("neither Redis nor PostgreSQL could keep the message") from None
