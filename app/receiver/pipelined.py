"""A connection to Redis in the event loop, on which requests are written without waiting for earlier answers.

A thread that asked and waited would hand Python's lock around twice for every answer. And Redis answers all that is
there in the same moment after one fsync, so what is written at once costs its disk no more than one message does.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

import redis
from hiredis import pack_command
from redis.asyncio import Connection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_SECONDS = 0.3
ANSWER_SECONDS = 2.0
"""Carriers give up after three to seven seconds, and PostgreSQL is to be asked in that time too."""

Commands = Sequence[tuple[Any, ...]]


class Pipelined:
    """The one connection of an event loop to that server. It is made when it is needed."""

    def __init__(self, url: str) -> None:
        never = Retry(NoBackoff(), 0)
        self._pool = ConnectionPool.from_url(
            url, socket_connect_timeout=CONNECT_SECONDS, socket_timeout=None, socket_keepalive=True, retry=never
        )
        self._connecting = asyncio.Lock()
        self._wire: _Wire | None = None

    async def ask(self, commands: Commands) -> list[Any]:
        """The answers. Raises redis.RedisError: the first refusal among them, or that there is no answer.

        Where the connection had died, they are asked for once more. An answer that came too late is not.
        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                try:
                    return await self._ask(commands)
                except redis.ConnectionError:
                    return await self._ask(commands)
        except TimeoutError:
            raise redis.TimeoutError("no answer in time") from None

    async def _ask(self, commands: Commands) -> list[Any]:
        async with self._connecting:
            if self._wire is None or not self._wire.holds:
                self._wire = _Wire(await self._connect())
        return await self._wire.ask(commands)

    async def _connect(self) -> Connection:
        connection: Connection = self._pool.make_connection()
        try:
            await connection.connect()
        except BaseException:
            await connection.disconnect(nowait=True)
            raise
        return connection


class _Wire:
    """A connection until something goes wrong on it; then all who wait hear of it. holds: whether it is still good."""

    def __init__(self, connection: Connection) -> None:
        self.holds = True
        self._connection = connection
        self._asked: deque[_Asked] = deque()
        self._reading = asyncio.create_task(self._read())

    async def ask(self, commands: Commands) -> list[Any]:
        packed = b"".join(map(pack_command, commands))  # redis-py packs in Python where it awaits
        asked = _Asked(len(commands))
        self._asked.append(asked)
        try:
            # It writes before it waits for anything, so that answers come in the order of _asked.
            await self._connection.send_packed_command(packed, check_health=False)
            return await asked.answers
        except asyncio.CancelledError:
            self.holds = False  # a connection whose other end is gone without a word looks like this
            self._reading.cancel()
            raise
        finally:
            asked.answers.cancel()

    async def _read(self) -> None:
        """Also while nobody asks: a server that went away is noticed before it is needed."""
        fault: redis.RedisError = redis.TimeoutError("an earlier answer did not come in time")
        try:
            while True:
                answer = await self._connection.read_response(disconnect_on_error=False)  # done below, for every end
                if self._asked[0].take(answer):
                    self._asked.popleft()
        except redis.RedisError as met:
            fault = met
        finally:
            self.holds = False
            for asked in self._asked:
                asked.end(fault)
            await self._connection.disconnect(nowait=True)


class _Asked:
    """Commands that were written together, and their answers."""

    def __init__(self, count: int) -> None:
        self.answers: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()
        self._count = count
        self._taken: list[Any] = []

    def take(self, answer: Any) -> bool:
        """One more answer. Whether it was the last one."""
        self._taken.append(answer)
        if len(self._taken) < self._count:
            return False
        if not self.answers.done():
            self.answers.set_result(self._taken)
        return True

    def end(self, fault: redis.RedisError) -> None:
        if not self.answers.done():
            self.answers.set_exception(fault)
