"""The doorstep: a request waits beside the threads until it is whole."""

import asyncio
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from wsgiref.validate import validator

import pytest

from app import doorstep
from app.doorstep import Doorstep, environ

LIMIT = 200_000
ROOT = Path(__file__).parents[2]


class Sender:
    """The other end of a request. A chunk None never comes."""

    def __init__(self, *chunks):
        self.chunks = chunks
        self.answer = None

    async def __call__(self):
        return b"".join([chunk async for chunk in self])

    async def __aiter__(self):
        for chunk in self.chunks:
            if chunk is None:
                await asyncio.Event().wait()
            yield chunk

    def response_bytes(self, status, headers, body):
        self.answer = status, dict(headers), body


def scope(method="POST", path="/in/testing", **headers):
    return SimpleNamespace(
        method=method,
        path=path,
        query_string="a=1",
        scheme="http",
        http_version="1.1",
        server="[::1]:8080",
        client="10.0.0.7:4711",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def application(told, start):
    body = told["wsgi.input"].read(10_000_000)
    start("202 Accepted", [("Content-Type", "text/plain"), ("Content-Length", str(len(str(len(body)))))])
    return [str(len(body)).encode()]


def serve(sender, asked, door=None):
    asyncio.run((door or Doorstep(validator(application), LIMIT)).__rsgi__(asked, sender))
    return sender.answer


def reason(answer):
    return answer[0], json.loads(answer[2])["reason"]


def test_the_application_gets_a_whole_request_and_its_answer_is_passed_on():
    status, headers, body = serve(Sender(b"ab", b"c"), scope(content_length="3"))
    assert (status, headers["Content-Type"], body) == (202, "text/plain", b"3")


def test_a_body_without_a_length_and_a_large_one_arrive_whole():
    assert serve(Sender(b"abc", b"de"), scope(transfer_encoding="chunked"))[2] == b"5"
    assert serve(Sender(b"x" * 50_000, b"y" * 50_000), scope(content_length="100000"))[2] == b"100000"


@pytest.mark.parametrize("length", ["3", "100000"])
def test_a_body_that_does_not_come_in_time_is_answered_408(monkeypatch, length):
    monkeypatch.setattr(doorstep, "BODY_SECONDS", 0.01)
    assert reason(serve(Sender(b"a", None), scope(content_length=length))) == (408, "too-slow")


def test_of_a_body_above_the_limit_the_application_sees_that_it_is_too_large_and_no_more():
    sender = Sender(*[b"x" * 100_000] * 10)
    assert serve(sender, scope(content_length="1000000"))[2] == b"300000"


def test_large_bodies_share_a_room_and_small_ones_always_have_a_place(monkeypatch):
    monkeypatch.setattr(doorstep, "LARGE_ROOM", 150_000)
    door = Doorstep(application, LIMIT)
    two = asyncio.Event()

    class Waiting(Sender):
        async def __aiter__(self):
            yield b"x" * 100_000
            await two.wait()

    async def at_once():
        large, other, small = Waiting(), Sender(b"x" * 100_000), Sender(b"abc")
        first = asyncio.create_task(door.__rsgi__(scope(content_length="100000"), large))
        await asyncio.sleep(0)
        await door.__rsgi__(scope(content_length="100000"), other)
        await door.__rsgi__(scope(content_length="3"), small)
        two.set()
        await first
        again = Sender(b"x" * 100_000)
        await door.__rsgi__(scope(content_length="100000"), again)
        return large.answer, other.answer, small.answer, again.answer

    large, other, small, again = asyncio.run(at_once())
    assert reason(other) == (503, "busy")
    assert other[1]["Retry-After"] == "30"
    assert [answer[0] for answer in (large, small, again)] == [202, 202, 202]


def test_large_bodies_are_worked_on_one_at_a_time_so_that_small_ones_find_a_thread():
    at_work, most = [], []

    def slow(told, start):
        at_work.append(1)
        most.append(len(at_work))
        time.sleep(0.02)
        at_work.pop()
        return application(told, start)

    async def at_once():
        senders = [Sender(b"x" * 100_000) for _ in range(4)]
        door = Doorstep(slow, LIMIT)
        await asyncio.gather(*[door.__rsgi__(scope(content_length="100000"), sender) for sender in senders])
        return [sender.answer[0] for sender in senders]

    assert asyncio.run(at_once()) == [202] * 4
    assert max(most) == doorstep.LARGE_AT_ONCE


def test_the_environ_is_that_of_pep_3333_without_our_own_environment(monkeypatch):
    monkeypatch.setenv("MILEPOST_SECRET_KEY", "nobody's business")
    made = environ(scope(path="/in/%66edex", content_type="application/json", x_proof="abc"), b"{}")
    assert made["PATH_INFO"] == "/in/fedex"
    assert made["CONTENT_TYPE"] == "application/json"
    assert made["HTTP_X_PROOF"] == "abc"
    assert made["REMOTE_ADDR"] == "10.0.0.7"
    assert (made["SERVER_NAME"], made["SERVER_PORT"]) == ("::1", "8080")
    assert "MILEPOST_SECRET_KEY" not in made


def test_a_header_sent_twice_is_joined_so_that_a_second_proof_never_stands_for_the_first():
    asked = scope()
    asked.headers = SimpleNamespace(items=lambda: [("x-proof", "one"), ("x-proof", "two")])
    assert environ(asked, b"")["HTTP_X_PROOF"] == "one,two"


@pytest.mark.requirement("M42", "M116")
def test_slow_senders_do_not_close_the_door(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [Path(sys.executable).parent / "granian", "--interface", "rsgi", "--port", str(port), "--http", "1"]
    told = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "MILEPOST_HOME": str(tmp_path)}
    server = subprocess.Popen([*command, "app.doorstep:app"], cwd=ROOT, env=told, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        with ExitStack() as stack:
            for _ in range(doorstep.THREADS * 4):
                slow = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                slow.sendall(b"POST /in/fedex HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
            assert ask(port, "GET", "/livez")[0] == 200
            assert ask(port, "POST", "/in/fedex", b"{}")[0] == 401
    finally:
        server.terminate()
        server.wait(30)


def ask(port, method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def wait_for(port):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            return ask(port, "GET", "/livez")
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server does not start")
