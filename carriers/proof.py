"""How a carrier proves that a message is its own: schemes, picked by a carrier's declaration.

Every scheme works on the raw bytes, compares in constant time, and accepts any of several live secrets, so that a
secret can be rotated without a rejected message. `prove` is the sending side, for samples and tests.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shipments.errors import SignatureMismatch, SignatureMissing, SignatureStale


class Proof(Protocol):
    """A scheme. `headers` (lower case) are the ones that carry it and are kept with the message, sealed."""

    @property
    def headers(self) -> tuple[str, ...]: ...

    @property
    def covers_body(self) -> bool:
        """Whether the proof depends on the body; if not, anyone who sees one message can forge the next."""
        ...

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        """Returns if one of the secrets made the proof; raises Refused otherwise (also without any secret)."""
        ...

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        """The headers a carrier would send with this body."""
        ...


def _raw_body(body: bytes, stamp: str) -> bytes:
    return body


def stamp_dot_body(body: bytes, stamp: str) -> bytes:
    """What schemes with a timestamp usually sign: `<timestamp>.<body>`."""
    return stamp.encode("utf-8", "surrogateescape") + b"." + body


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacProof:
    """HMAC over the raw body in a header, Base64 or hex.

    header: lower case. encodings: those accepted, the first is the one sent. prefix: before the value, as in
    `sha256=`. timestamp_header: epoch seconds signed along, if the scheme has one; older or newer than tolerance is
    stale, and tolerance must exceed the carrier's retry span if retries keep the time. signs: what is hashed.
    """

    header: str
    encodings: tuple[str, ...] = ("base64",)
    algorithm: str = "sha256"
    prefix: str = ""
    timestamp_header: str | None = None
    tolerance: timedelta = timedelta(minutes=5)
    signs: Callable[[bytes, str], bytes] = _raw_body
    covers_body = True

    @property
    def headers(self) -> tuple[str, ...]:
        return (self.header, self.timestamp_header) if self.timestamp_header else (self.header,)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        claimed = headers.get(self.header, "").strip()
        stamp = headers.get(self.timestamp_header, "").strip() if self.timestamp_header else ""
        if not claimed or (self.timestamp_header and not stamp):
            raise SignatureMissing(f"the header {' and '.join(self.headers)} is missing")
        signed = self.signs(body, stamp)
        digests = [self._digest(signed, secret) for secret in secrets]
        candidates = list(_decoded(claimed.removeprefix(self.prefix), self.encodings))
        # every pair is compared, so that the time taken says nothing about which secret or encoding was near
        matches = [hmac.compare_digest(d, c) for d in digests for c in candidates]
        if not any(matches):
            raise SignatureMismatch("no live secret made this signature")
        if self.timestamp_header:
            _check_age(stamp, received_at, self.tolerance)

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        stamp = str(int(at.timestamp()))
        digest = self._digest(self.signs(body, stamp), secret)
        value = digest.hex() if self.encodings[0] == "hex" else base64.b64encode(digest).decode()
        proof = {self.header: self.prefix + value}
        return proof | {self.timestamp_header: stamp} if self.timestamp_header else proof

    def _digest(self, signed: bytes, secret: str) -> bytes:
        return hmac.new(secret.encode(), signed, self.algorithm).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenProof:
    """A secret the receiver chose, sent back in a header with every message. It does not cover the body."""

    header: str
    prefix: str = ""
    covers_body = False

    @property
    def headers(self) -> tuple[str, ...]:
        return (self.header,)

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        claimed = headers.get(self.header, "")
        if not claimed:
            raise SignatureMissing(f"the header {self.header} is missing")
        # hashed first, so that neither the length nor a common prefix shows in the time taken
        matches = [hmac.compare_digest(_sha256(self.prefix + secret), _sha256(claimed)) for secret in secrets]
        if not any(matches):
            raise SignatureMismatch("no live secret is this token")

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        return {self.header: self.prefix + secret}


def _sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def _decoded(value: str, encodings: Iterable[str]) -> Iterable[bytes]:
    """The bytes the header's text stands for, in each accepted encoding that it fits."""
    for encoding in encodings:
        try:
            yield bytes.fromhex(value) if encoding == "hex" else base64.b64decode(value, validate=True)
        except (ValueError, binascii.Error):
            continue


def _check_age(stamp: str, received_at: datetime, tolerance: timedelta) -> None:
    try:
        age = abs(received_at.timestamp() - float(stamp))
    except ValueError:
        raise SignatureMismatch("the timestamp is not a number of seconds") from None
    if not age <= tolerance.total_seconds():
        raise SignatureStale(f"signed {age:.0f} s away from now; {tolerance.total_seconds():.0f} s are allowed")
