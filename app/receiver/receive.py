"""Receiving, as an ordered list of small steps. Each one passes, or refuses with a Problem."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from http import HTTPStatus
from typing import Any, NamedTuple
from uuid import UUID

from app.problem import Problem
from app.receiver.body import read_body
from app.receiver.desk import Desk
from app.receiver.keeper import Keeper
from app.receiver.trace import trace_of
from carriers.base import Answer, Request
from config.metrics import RECEIVE_SECONDS, RECEIVED
from config.queues import LIVE
from shipments.clock import new_id, now
from shipments.errors import NotStored
from shipments.store.intake import Intaken
from shipments.store.seal import Seal

RETRY_AFTER_SECONDS = 30
"""What a carrier hears that we could not keep its message."""

NO_CONTENT = 204
"""The status that some carriers wait for; an answer with it has no body, so such a carrier hears no id."""

_NO_MESSAGES = ("multipart/", "image/", "audio/", "video/")
_ENCODINGS = frozenset(("", "identity", "gzip", "deflate"))


class Reply(NamedTuple):
    """An answer as WSGI takes it. A response of Flask's would take as long to make as sealing the message does."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(slots=True)
class Arrival:
    """One message on its way through the door; the steps fill it."""

    desk: Desk
    account: str
    environ: dict[str, Any]
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    received_at: datetime = field(default_factory=now)
    id: UUID = field(default_factory=new_id)

    def request(self) -> Request:
        """As a carrier's declaration may look at it."""
        return self.desk.request(self.environ, self.headers, self.body, self.received_at)


class Receiver:
    """Takes in messages. Without a seal (no MILEPOST_SECRET_KEY) nothing can be kept, so nothing is accepted."""

    def __init__(self, desks: Mapping[str, Desk], keeper: Keeper, seal: Seal | None, max_body_bytes: int) -> None:
        self._desks = desks
        self._keeper = keeper
        self._seal = seal
        self._max_body_bytes = max_body_bytes
        self._steps: tuple[Callable[[Arrival], None], ...] = (
            refuse_other_kinds,
            verify,
            refuse_empty,
            self._keep,
        )

    def receive(self, environ: dict[str, Any], name: str, account: str = "") -> Reply:
        """A POST. When this answers 2xx, the message is on disk."""
        began = time.perf_counter()
        outcome = "broken"
        try:
            answer = self._receive(environ, name, account)
            outcome = "accepted"
        except Problem as problem:
            outcome = problem.reason
            raise
        finally:
            RECEIVED.labels(name if name in self._desks else "unknown", outcome).inc()
            RECEIVE_SECONDS.observe(time.perf_counter() - began)
        return answer

    def greet(self, environ: dict[str, Any], name: str, account: str = "") -> Reply:
        """A GET or HEAD, with which carriers test an address. Nothing is kept, and nothing is asked as proof."""
        desk = self._desk(name)
        account = desk.account(account)
        desk.secrets(account)
        arrival = Arrival(desk, account, environ, headers=desk.headers(environ))
        if answer := _handshake(arrival):
            return _as_told(answer)
        status = NO_CONTENT if desk.carrier.accepted_status == NO_CONTENT else HTTPStatus.OK
        return _reply(status, "text/plain; charset=utf-8", b"")

    def _receive(self, environ: dict[str, Any], name: str, account: str) -> Reply:
        # read before anything is refused: a sender that is still writing does not see an early answer
        body = read_body(environ, self._max_body_bytes)
        desk = self._desk(name)
        arrival = Arrival(desk, desk.account(account), environ, body, desk.headers(environ))
        for step in self._steps:
            step(arrival)
        return _accept(arrival)

    def _desk(self, name: str) -> Desk:
        desk = self._desks.get(name)
        if desk is None:
            raise Problem(404, "unknown-carrier", "No carrier of that name is known here.")
        return desk

    def _keep(self, arrival: Arrival) -> None:
        if self._seal is None:
            raise Problem(503, "not-stored", "The message could not be kept.", RETRY_AFTER_SECONDS)
        try:
            self._keeper.keep(_intaken(arrival, self._seal))
        except NotStored:
            raise Problem(503, "not-stored", "The message could not be kept.", RETRY_AFTER_SECONDS) from None


def refuse_other_kinds(arrival: Arrival) -> None:
    """415 for what can be no message. Content types lie, so everything else is decided by the content."""
    if arrival.headers.get("content-type", "").lstrip().lower().startswith(_NO_MESSAGES):
        raise Problem(415, "unsupported-type", "Messages are text: JSON, XML, EDI, or a form.")
    if arrival.headers.get("content-encoding", "").strip().lower() not in _ENCODINGS:
        raise Problem(415, "unsupported-encoding", "Messages may be sent as they are, or with gzip or deflate.")


def verify(arrival: Arrival) -> None:
    """401 unless the carrier sent exactly these bytes; 404 for an account that nobody set up."""
    arrival.desk.verify(arrival.account, arrival.headers, arrival.body, arrival.received_at, arrival.environ)


def refuse_empty(arrival: Arrival) -> None:
    """422 for a message that says nothing."""
    if not arrival.body:
        raise Problem(422, "empty", "The message has no body.")


def _intaken(arrival: Arrival, seal: Seal) -> Intaken:
    return Intaken(
        id=arrival.id,
        carrier=arrival.desk.carrier.name,
        account=arrival.account,
        lane=LIVE,
        received_at=arrival.received_at,
        trace=trace_of(arrival.environ),
        sealed=seal.close(arrival.id, arrival.body, arrival.headers),
    )


def _accept(arrival: Arrival) -> Reply:
    if answer := _handshake(arrival):
        return _as_told(answer)
    body = b'{"id":"%s"}' % str(arrival.id).encode()
    return _reply(arrival.desk.carrier.accepted_status, "application/json", body)


def _handshake(arrival: Arrival) -> Answer | None:
    """The carrier's own answer. Most have none, and then the request need not be gathered for it."""
    greet = arrival.desk.carrier.greet
    return greet(arrival.request()) if greet else None


def _as_told(answer: Answer) -> Reply:
    return _reply(answer.status, answer.content_type, answer.body)


def _reply(status: int, content_type: str, body: bytes) -> Reply:
    """Without a body and its headers where the status allows none (RFC 9110, section 8.6)."""
    if status == NO_CONTENT:
        return Reply(_line(status), [], b"")
    return Reply(_line(status), [("Content-Type", content_type), ("Content-Length", str(len(body)))], body)


@lru_cache
def _line(status: int) -> str:
    return f"{status} {HTTPStatus(status).phrase.upper()}"
