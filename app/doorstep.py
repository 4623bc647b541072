"""The doorstep: where a request waits until it is whole, so that a slow sender holds none of the few threads.

    granian --interface rsgi app.doorstep:app

The WSGI server would hand a request to a thread as soon as its headers are there, and the thread would wait for the
body: as many slow senders as there are threads, and the door is closed, without a signature and for as long as they
like. Here a body is read beside the threads; they get it whole.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes
from wsgiref.types import WSGIApplication

from app.factory import serve
from app.loop import call
from app.problem import Problem, written
from app.receiver.desk import environ_key
from config.settings import get_settings

THREADS = 8
BODY_SECONDS = 30.0
"""A whole body must be here within this time. Carriers give up after three to ten seconds themselves."""

SMALL = 65_536
LARGE_ROOM = 64 * 1024 * 1024
"""Bytes that bodies larger than SMALL may hold together. What carriers usually send is small and always has a place."""

LARGE_AT_ONCE = 1
"""Of the threads, large bodies get so many at a time: sealing and storing one takes as long as dozens of small ones."""

READ_ON = 8
"""A body above the limit is read on, up to this many times the limit, and thrown away: a sender that is still writing
would take the early answer for an outage, and repeat for ever."""

_RECEIVER = "/in/"

Answer = tuple[int, list[tuple[str, str]], bytes]

_BASE = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}


class Headers(Protocol):
    """Headers as granian gives them: names in lower case, one pair for each line."""

    def get(self, name: str) -> str | None: ...
    def items(self) -> Iterable[tuple[str, str]]: ...


class Scope(Protocol):
    """A request without its body, as granian gives it (RSGI)."""

    method: str
    path: str
    query_string: str
    scheme: str
    http_version: str
    server: str
    client: str
    headers: Headers


class Sender(Protocol):
    """The other end of a request: gives the body, whole or in chunks, and takes the answer."""

    async def __call__(self) -> bytes: ...
    def __aiter__(self) -> AsyncIterator[bytes]: ...
    def response_bytes(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None: ...


class Doorstep:
    """Serves a WSGI application with whole requests. limit: most bytes of a body that it may want to see."""

    def __init__(self, application: WSGIApplication, limit: int) -> None:
        self._application = application
        self._limit = limit
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="door")
        self._large_turn = asyncio.Semaphore(LARGE_AT_ONCE)
        self._held = 0

    async def __rsgi__(self, scope: Scope, sender: Sender) -> None:
        """One request."""
        length = scope.headers.get("content-length") or ""
        try:
            if length.isdigit() and int(length) <= SMALL:
                async with asyncio.timeout(BODY_SECONDS):
                    body = await sender()
                answer = await self._answer(scope, body)
            else:
                answer = await self._large(scope, sender)
        except TimeoutError:
            answer = written(Problem(408, "too-slow", f"The body was not here within {BODY_SECONDS:g} seconds."))
        except Problem as problem:
            answer = written(problem)
        sender.response_bytes(*answer)

    async def _large(self, scope: Scope, sender: Sender) -> Answer:
        """A body that is large, or of no announced length. The room it takes is given back with the answer."""
        chunks: list[bytes] = []
        size = kept = 0
        try:
            async with asyncio.timeout(BODY_SECONDS):
                async for chunk in sender:
                    size += len(chunk)
                    if kept <= self._limit:
                        kept += len(chunk)
                        self._held += len(chunk)
                        chunks.append(chunk)
                    if kept > SMALL and self._held > LARGE_ROOM:
                        raise Problem(503, "busy", "Too many large bodies are on their way in; try again.", 30)
                    if size > self._limit * READ_ON:
                        break
            async with self._large_turn:
                return await self._in_thread(scope, b"".join(chunks))
        finally:
            self._held -= kept

    async def _answer(self, scope: Scope, body: bytes) -> Answer:
        """A webhook in the loop itself, whatever may take longer in a thread."""
        if scope.path.startswith(_RECEIVER):
            return await call(partial(self._call, scope, body))
        return await self._in_thread(scope, body)

    async def _in_thread(self, scope: Scope, body: bytes) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._call, scope, body)

    def _call(self, scope: Scope, body: bytes) -> Answer:
        begun: list[Any] = []

        def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Any:
            begun[:] = int(status[:3]), headers

        parts = self._application(environ(scope, body), start)
        try:
            content = b"".join(parts)
        finally:
            if close := getattr(parts, "close", None):
                close()
        return begun[0], begun[1], content


def environ(scope: Scope, body: bytes) -> dict[str, Any]:
    """The request as WSGI has it (PEP 3333), without the process's own environment, which holds secrets."""
    host, _, port = scope.server.rpartition(":")
    made = _BASE | {
        "REQUEST_METHOD": scope.method,
        "PATH_INFO": unquote_to_bytes(scope.path).decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "SERVER_NAME": host.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
    }
    for name, value in scope.headers.items():
        key = environ_key(name)
        made[key] = f"{made[key]},{value}" if key in made else value
    return made


def __getattr__(name: str) -> Doorstep:
    """`app` is made when a server asks for it, so that importing this module needs no environment."""
    if name != "app":
        raise AttributeError(name)
    made = globals()["app"] = Doorstep(serve(), get_settings().max_body_bytes)
    return made
