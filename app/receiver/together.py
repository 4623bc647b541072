"""Messages that arrive at the same moment go into the stream together: one round trip and one fsync for all of them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import redis

from app.loop import can_wait, wait
from shipments.store.intake import Intake, Intaken, Kept

_MOST_TOGETHER = 64


class Together(Intake):
    """An intake of one lane for requests that are run in the event loop; in a thread it is an Intake.

    While a thread of its own has a batch on its way, those that come meanwhile gather to be the next one.
    """

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self._waiting: list[tuple[Intaken, asyncio.Future[Kept]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="intake")
        self._adding: asyncio.Task[None] | None = None

    def add(self, message: Intaken) -> Kept:
        """When this returns, the message is on disk. Raises RedisError, as Intake does."""
        return wait(self._add_with_others(message)) if can_wait() else super().add(message)

    async def _add_with_others(self, message: Intaken) -> Kept:
        kept: asyncio.Future[Kept] = asyncio.get_running_loop().create_future()
        self._waiting.append((message, kept))
        if self._adding is None:
            self._adding = asyncio.create_task(self._add_all())
        return await kept

    async def _add_all(self) -> None:
        """Batch by batch, until nobody waits."""
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST_TOGETHER], self._waiting[_MOST_TOGETHER:]
            try:
                answers = await loop.run_in_executor(self._thread, self.add_all, [message for message, _ in batch])
            except Exception as fault:  # noqa: BLE001, whatever it is, each one that waits has to hear it
                # also those who came meanwhile: they would wait for the same silence once more
                batch, self._waiting = batch + self._waiting, []
                for _, kept in batch:
                    if not kept.done():
                        kept.set_exception(_refused(fault))
            else:
                for (_, kept), answer in zip(batch, answers, strict=True):
                    if not kept.done():  # its request was called off; the message is kept all the same
                        kept.set_result(answer)
        self._adding = None


def _refused(fault: Exception) -> redis.RedisError:
    """One for each that waits: an exception that is raised in several places gathers all their frames."""
    refusal = redis.RedisError("the stream did not take the message")
    refusal.__cause__ = fault
    return refusal
