"""Waiting inside a request: the loop goes on with others meanwhile."""

import asyncio
import threading
from contextvars import ContextVar

import pytest

from app.loop import call, can_wait, wait
from app.patience import Patience

NAME: ContextVar[str] = ContextVar("name", default="")


def test_functions_that_wait_take_turns_in_one_thread():
    said, threads = [], set()

    def work(name):
        threads.add(threading.get_ident())
        NAME.set(name)
        for _ in range(2):
            said.append(name)
            wait(asyncio.sleep(0))
        return NAME.get()

    async def both():
        return await asyncio.gather(call(lambda: work("a")), call(lambda: work("b")))

    assert asyncio.run(both()) == ["a", "b"]  # and each keeps its own context
    assert asyncio.run(call(NAME.get)) == ""  # which is gone afterwards
    assert said == ["a", "b", "a", "b"]
    assert len(threads) == 1


def test_what_is_waited_for_may_fail_and_is_told_where_it_was_waited_for():
    async def fail():
        raise ValueError("no")

    def work():
        with pytest.raises(ValueError, match="no"):
            wait(fail())
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(call(work))
    assert asyncio.run(call(lambda: "the next")) == "the next"


def test_a_request_that_is_called_off_while_it_waits_ends():
    ended = []

    def work():
        try:
            wait(asyncio.Event().wait())
        finally:
            ended.append(True)

    async def call_off():
        task = asyncio.create_task(call(work))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(call_off())
    assert ended == [True]


def test_nobody_waits_outside():
    assert not can_wait()
    assert asyncio.run(call(can_wait))


def test_patience_lets_the_loop_go_on_and_ends_too():
    patience, stuck = Patience(0.1), threading.Event()

    def work():
        with pytest.raises(TimeoutError):
            patience.call(stuck.wait)
        return patience.call(lambda: "quick")

    async def beside():
        waiting = asyncio.create_task(call(work))
        turns = 0
        while not waiting.done():
            turns += 1
            await asyncio.sleep(0.01)
        return turns, await waiting

    turns, brought = asyncio.run(beside())
    stuck.set()
    assert brought == "quick"
    assert turns > 2
