"""What a scheme is: one that looks at headers and body, and one that has to see the whole request."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from carriers.request import Request
from shipments.errors import SetupFault, SignatureMissing


class Proof(Protocol):
    """A scheme. `headers` (lower case) are the ones that carry it and are kept with the message, sealed."""

    @property
    def headers(self) -> tuple[str, ...]: ...

    @property
    def covers_body(self) -> bool:
        """Whether the proof depends on the body; if not, anyone who sees one message can forge the next."""
        ...

    @property
    def needs_secret(self) -> bool:
        """Whether it rests on a secret or a key of the settings."""
        ...

    @property
    def max_age(self) -> timedelta | None:
        """How old a message may be; None if it signs no time: then a repeat is let in, and harmless by event keys."""
        ...

    @property
    def words(self) -> str:
        """The scheme, for a person."""
        ...

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        """Returns if one of the secrets made the proof; raises Refused otherwise (also without any secret)."""
        ...

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        """The headers a carrier would send with this body."""
        ...


class RequestProof(ABC):
    """A scheme that has to see more than headers and body: the query, the address, the sender's network.

    The door hands it the request. Asked without one, it refuses.
    """

    @property
    def in_path(self) -> bool:
        """Whether a secret word ends the address."""
        return False

    @abstractmethod
    def verify_request(self, request: Request, secrets: Sequence[str]) -> None:
        """Returns if the request is proven; raises Refused otherwise."""

    @abstractmethod
    def prove_request(self, request: Request, secret: str) -> Request:
        """The request as the carrier would send it."""

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        raise SignatureMissing("this proof is not in the headers and the body")

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        raise TypeError("this proof is not in the headers: use carriers.proof.prove")


def verify(proof: Proof, request: Request, secrets: Sequence[str]) -> None:
    """Returns if one of the secrets proves the request, whichever kind of scheme it is; raises Refused otherwise."""
    if isinstance(proof, RequestProof):
        proof.verify_request(request, secrets)
    else:
        proof.verify(request.headers, request.body, secrets, request.received_at)


def prove(proof: Proof, request: Request, secret: str) -> Request:
    """The request as the carrier would send it, whichever kind of scheme it is; `received_at` is when it is signed."""
    if isinstance(proof, RequestProof):
        return proof.prove_request(request, secret)
    made = proof.prove(request.body, secret, request.received_at)
    return replace(request, headers={**request.headers, **made})


@dataclass(frozen=True, slots=True)
class NotPushed:
    """For a carrier that only answers: whatever is posted in its name is refused."""

    headers = ()
    covers_body = False
    needs_secret = False
    max_age = None
    words = "nothing is pushed"

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        raise SignatureMissing("this carrier pushes nothing")

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        raise SetupFault(["this carrier pushes nothing, so nothing can be posted in its name; try milepost parse"])
