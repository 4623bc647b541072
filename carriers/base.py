"""What a carrier's folder declares, and what its parser is given and gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec import Struct

from carriers.codes import CodeTable
from carriers.polling import Poll
from carriers.proof import Proof
from carriers.request import Request as Request
from shipments.event import Event


class Message(Struct, frozen=True):
    """What arrived: the bytes, decompressed, and the headers that were kept (names in lower case)."""

    body: bytes
    headers: Mapping[str, str] = {}


class Fault(Struct, frozen=True):
    """A part of a message that could not be read; the rest of it stands. `where` is a path such as shipments[2]."""

    where: str
    reason: str


class Reading(Struct, frozen=True):
    """What a message says: its events, and the parts that could not be read.

    `notice` is a sentence for operations: about the subscription, or about what the message leaves out; there may be
    events beside it. `needs_a_person` parks the message until somebody has acted on it.
    """

    events: tuple[Event, ...] = ()
    faults: tuple[Fault, ...] = ()
    notice: str | None = None
    needs_a_person: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a carrier's handshake wants to hear."""

    status: int
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carrier:
    """A carrier: how it proves itself, what its messages mean, and what it wants to hear.

    name: the folder's name; gives the URL /in/<name>, the settings CARRIER_<NAME>_SECRETS and the metric tag.
    parse: bytes to events. Pure: no clock, no network, no database. Raises Unreadable and nothing else.
    codes: what the carrier's codes mean (codes.csv).
    accepted_status: 202, or 200 or 204 (which has no body) for a carrier that counts nothing else as received.
    greet: the answer to a handshake, or None for the usual one; none where the carrier has no handshake. A POST is kept
        whatever is answered; its proof has been verified by then. GET and HEAD are answered without proof and keep
        nothing: usually with 200, or 204 where that is the accepted status.
    kept_headers: headers the parser needs, beside those of the proof and the content type.
    poll: how it is asked, for a carrier that can be.
    transports: how its messages come here: push (it calls us), poll (the parser also reads what it answers us), file.
    """

    name: str
    title: str
    proof: Proof
    parse: Callable[[Message], Reading]
    codes: CodeTable
    accepted_status: int = 202
    greet: Callable[[Request], Answer | None] | None = None
    kept_headers: tuple[str, ...] = ()
    transports: tuple[str, ...] = ("push",)
    poll: Poll | None = None
