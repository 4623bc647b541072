"""Waiting inside a request without holding a thread: the event loop goes on with other requests meanwhile.

Flask's views are plain functions. Run by `call`, in the thread of the event loop, such a function may `wait` for what
the loop has to bring: it is put aside as a greenlet and taken up again where it stopped. A thread for each request
instead cost more than all that is done with a webhook, most of it for handing Python's lock around.
"""

import threading
from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")

_MOST_IDLE = 128
"""Greenlets that are kept for the next calls of a thread: a new one costs as much as a fifth of a webhook."""

_DONE = object()


class _Caller(greenlet):
    """Calls one function after another, each of which may wait; a fault of a function is its end."""

    result: Any = None

    def run(self, work: Callable[[], Any]) -> None:
        assert self.parent is not None  # noqa: S101, every greenlet of ours has one
        while True:
            self.result = work()
            work = self.parent.switch(_DONE)


class _Idle(threading.local):
    """A greenlet belongs to the thread that made it."""

    def __init__(self) -> None:
        self.callers: list[_Caller] = []


_idle = _Idle()


async def call(work: Callable[[], T]) -> T:
    """What the work returns or raises. Between its waits it has the event loop for itself, so it must be quick."""
    idle = _idle.callers
    caller = idle.pop() if idle else _Caller()
    caller.gr_context = Context()  # nothing of an earlier call is seen in this one
    told: Any = caller.switch(work)
    while told is not _DONE:
        try:
            brought = await told
        except BaseException as fault:  # noqa: BLE001, whatever it is, it belongs to the one who waits
            told = caller.throw(fault)
        else:
            told = caller.switch(brought)
    result: T = caller.result
    caller.result = None
    if len(idle) < _MOST_IDLE:
        idle.append(caller)
    return result


def can_wait() -> bool:
    """Whether we were called by `call`."""
    return isinstance(getcurrent(), _Caller)


def wait(awaitable: Awaitable[T]) -> T:
    """What it brings or raises; only where `can_wait`."""
    loop_greenlet = getcurrent().parent
    assert loop_greenlet is not None  # noqa: S101, every greenlet of ours has one
    return loop_greenlet.switch(awaitable)
