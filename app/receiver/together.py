"""Messages that arrive at the same moment go into the stream together: one write, one round trip, one fsync."""

import asyncio

import redis

from app.loop import can_wait, wait
from app.receiver.keeper import connect_briefly
from app.receiver.pipelined import Pipelined
from shipments.store.intake import Intake, Intaken, Kept, kept_of, to_add

GATHER_SECONDS = 0.001
"""A write, its wake-ups and its fsync are most of what a message costs. The sender does not notice so short a wait."""

_Gathered = list[tuple[Intaken, asyncio.Future[Kept]]]


class Together(Intake):
    """An intake of one lane for requests that are run in one event loop; in a thread it is an Intake."""

    def __init__(self, url: str) -> None:
        super().__init__(connect_briefly(url))
        self._server = Pipelined(url)
        self._gathered: _Gathered = []
        self._adding: set[asyncio.Task[None]] = set()

    def add(self, message: Intaken) -> Kept:
        """When this returns, the message is on disk. Raises RedisError, as Intake does."""
        return wait(self._add_with_others(message)) if can_wait() else super().add(message)

    async def _add_with_others(self, message: Intaken) -> Kept:
        loop = asyncio.get_running_loop()
        kept: asyncio.Future[Kept] = loop.create_future()
        if not self._gathered:
            loop.call_later(GATHER_SECONDS, self._send)
        self._gathered.append((message, kept))
        return await kept

    def _send(self) -> None:
        batch, self._gathered = self._gathered, []
        adding = asyncio.create_task(self._add_all(batch))
        self._adding.add(adding)  # the loop itself keeps no task alive
        adding.add_done_callback(self._adding.discard)

    async def _add_all(self, batch: _Gathered) -> None:
        messages = [message for message, _ in batch]
        try:
            answers = kept_of(messages, await self._server.ask(to_add(messages)))
        except Exception as fault:  # noqa: BLE001, whatever it is, each one that waits has to hear it
            for _, kept in batch:
                if not kept.done():
                    kept.set_exception(_refused(fault))
        else:
            for (_, kept), answer in zip(batch, answers, strict=True):
                if not kept.done():  # its request was called off; the message is kept all the same
                    kept.set_result(answer)


def _refused(fault: Exception) -> redis.RedisError:
    """One for each that waits: an exception that is raised in several places gathers all their frames."""
    refusal = redis.RedisError("the stream did not take the message")
    refusal.__cause__ = fault
    return refusal
