"""Asking what may never answer: psycopg waits for ever for a server that is there and says nothing."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from app.loop import can_wait, wait

P = ParamSpec("P")
T = TypeVar("T")


class Patience:
    """Lets threads of its own wait, so that those of the server do not: they are few, and a stuck one serves nobody."""

    def __init__(self, seconds: float, threads: int = 4) -> None:
        self._seconds = seconds
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="patience")

    def call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What the work returns or raises; TimeoutError once patience is over (the work may still be done later)."""
        working = self._pool.submit(work, *args, **kwargs)
        if can_wait():
            return wait(asyncio.wait_for(asyncio.wrap_future(working), self._seconds))
        try:
            return working.result(self._seconds)
        except TimeoutError:
            working.cancel()
            raise
