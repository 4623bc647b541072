"""Waiting inside a request without holding a thread: the event loop goes on with other requests meanwhile.

Flask's views are plain functions. Run by `call`, in the thread of the event loop, such a function may `wait` for what
the loop has to bring: it is put aside as a greenlet and taken up again where it stopped. A thread for each request
instead cost more than all that is done with a webhook, most of it for handing Python's lock around.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")


class _Call(greenlet):
    """A function that may wait."""


async def call(work: Callable[[], T]) -> T:
    """What the work returns or raises. Between its waits it has the event loop for itself, so it must be quick."""
    running = _Call(work)
    told: Any = running.switch()
    while not running.dead:
        try:
            brought = await told
        except BaseException as fault:  # noqa: BLE001, whatever it is, it belongs to the one who waits
            told = running.throw(fault)
        else:
            told = running.switch(brought)
    return told


def can_wait() -> bool:
    """Whether we were called by `call`."""
    return isinstance(getcurrent(), _Call)


def wait(awaitable: Awaitable[T]) -> T:
    """What it brings or raises; only where `can_wait`."""
    loop_greenlet = getcurrent().parent
    assert loop_greenlet is not None  # noqa: S101, every greenlet of ours has one
    return loop_greenlet.switch(awaitable)
