"""The door's connection to Redis: many questions on their way at once, each with its own answers or its own fault."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import redis

from app.receiver import pipelined
from app.receiver.pipelined import Pipelined
from config.embedded.servers import Servers

NOWHERE = "redis://127.0.0.1:1"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def answering(handler: Handler) -> AsyncIterator[str]:
    """A server in front of whose answers something can be put. Gives its address."""
    async with await asyncio.start_server(handler, "127.0.0.1", 0) as server:
        yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def test_each_of_many_questions_gets_its_own_answers(clean: None, redis_url: str) -> None:
    async def run() -> None:
        line = Pipelined(redis_url)
        asked = [[("ECHO", str(number)), ("ECHO", "x" * number)] for number in range(500)]
        told = await asyncio.gather(*map(line.ask, asked))
        assert told == [[str(number).encode(), b"x" * number] for number in range(500)]

    asyncio.run(run())


def test_a_large_question_does_not_let_a_small_one_overtake_it(clean: None, redis_url: str) -> None:
    async def run() -> None:
        line, large = Pipelined(redis_url), "x" * 8_000_000
        told = await asyncio.gather(*(line.ask([("ECHO", what)]) for what in (large, "a", large, "b")))
        assert [len(answer) for (answer,) in told] == [8_000_000, 1, 8_000_000, 1]

    asyncio.run(run())


def test_a_refusal_is_raised_and_the_next_question_is_answered(clean: None, redis_url: str) -> None:
    async def run() -> None:
        line = Pipelined(redis_url)
        with pytest.raises(redis.ResponseError):
            await line.ask([("XADD", "a-stream")])
        assert await line.ask([("ECHO", "well")]) == [b"well"]

    asyncio.run(run())


@pytest.mark.requirement("M42")
def test_a_connection_that_was_cut_is_made_anew_and_the_question_asked_again(clean: None, redis_url: str) -> None:
    async def run() -> None:
        line = Pipelined(redis_url)
        assert await line.ask([("CLIENT", "SETNAME", "the-door")]) == [b"OK"]
        with redis.Redis.from_url(redis_url) as other:
            ours = next(each for each in other.client_list() if each["name"] == "the-door")
            other.client_kill_filter(_id=ours["id"])
        assert await line.ask([("ECHO", "well")]) == [b"well"], "before the loop has seen that it was cut"
        with redis.Redis.from_url(redis_url) as other:
            other.client_kill_filter(_type="normal", skipme=True)
        await asyncio.sleep(0.05)
        assert await line.ask([("ECHO", "well")]) == [b"well"], "and after"

    asyncio.run(run())


def test_whoever_is_cut_off_without_an_answer_asks_once_more_and_then_hears_it() -> None:
    heard: list[bytes] = []

    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers the greeting of the client, and cuts the connection where something is asked."""
        while coming := await reader.read(65536):
            if b"ECHO" in coming:
                heard.append(coming)
                break
            writer.write(b"+OK\r\n" * coming.count(b"*"))
        writer.close()

    async def run() -> None:
        async with answering(cut) as url:
            line = Pipelined(f"{url}?protocol=2")
            with pytest.raises(redis.ConnectionError):
                await line.ask([("ECHO", "x")])
            assert len(heard) == 2
            told = await asyncio.gather(*(line.ask([("ECHO", "x")]) for _ in range(3)), return_exceptions=True)
        assert [isinstance(fault, redis.ConnectionError) for fault in told] == [True] * 3

    asyncio.run(run())


def test_nobody_there_is_told_at_once() -> None:
    with pytest.raises(redis.ConnectionError):
        asyncio.run(Pipelined(NOWHERE).ask([("PING",)]))


def test_a_server_that_says_nothing_is_waited_for_once_and_then_asked_on_a_new_connection(
    tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelined, "ANSWER_SECONDS", 0.5)

    async def run(servers: Servers) -> None:
        line, began = Pipelined(servers.redis_url), asyncio.get_running_loop().time()
        (before,) = await line.ask([("CLIENT", "ID")])
        os.kill(servers.pid_of("valkey"), signal.SIGSTOP)
        try:
            told = await asyncio.gather(*(line.ask([("PING",)]) for _ in range(20)), return_exceptions=True)
        finally:
            os.kill(servers.pid_of("valkey"), signal.SIGCONT)
        assert {type(fault) for fault in told} == {redis.TimeoutError}
        assert asyncio.get_running_loop().time() - began < 5, "and not one after the other"
        (after,) = await line.ask([("CLIENT", "ID")])
        assert after != before

    with Servers(tmp_path, start_postgres=False) as servers:
        asyncio.run(run(servers))
