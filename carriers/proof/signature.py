"""Schemes that sign what they send, most with a shared key: HMAC in its variants, and a hash with the key in it."""

import hashlib
import hmac
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from carriers.proof.compare import age_in_words, check_age, decoded, encoded, is_any, stamped
from carriers.proof.scheme import RequestProof
from carriers.proof.signed import Signed, base64_key, plain_key, raw_body, signed_part, stamp_dot_body, url_then_body
from carriers.request import Request
from shipments.errors import SignatureMismatch, SignatureMissing


def _refuse_others(candidates: Iterable[bytes], made: Iterable[bytes]) -> None:
    """Raises SignatureMismatch unless one of the signatures that may be meant is one that a live secret made."""
    if not is_any(candidates, made):
        raise SignatureMismatch("no live secret made this signature")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderSignature(ABC):
    """A signature of the raw body in a header, Base64 or hex. How it is made is for the classes below.

    header: lower case. encodings: those accepted, the first is the one sent. prefix: before the value, as in
    `sha256=`. timestamp_header: the time signed along, if the scheme has one, in stamp_form (seconds, milliseconds,
    iso); older or newer than tolerance is stale, and tolerance must exceed the carrier's retry span if retries keep the
    time. signs: what is signed.
    """

    header: str
    encodings: tuple[str, ...] = ("base64",)
    algorithm: str = "sha256"
    prefix: str = ""
    timestamp_header: str | None = None
    stamp_form: str = "seconds"
    tolerance: timedelta = timedelta(minutes=5)
    signs: Signed = raw_body
    covers_body = True
    needs_secret = True

    @property
    def headers(self) -> tuple[str, ...]:
        return (self.header, self.timestamp_header) if self.timestamp_header else (self.header,)

    @property
    def max_age(self) -> timedelta | None:
        return self.tolerance if self.timestamp_header else None

    @property
    @abstractmethod
    def words(self) -> str: ...

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        claimed = headers.get(self.header, "").strip()
        stamp = headers.get(self.timestamp_header, "").strip() if self.timestamp_header else ""
        if not claimed or (self.timestamp_header and not stamp):
            raise SignatureMissing(f"the header {' and '.join(self.headers)} is missing")
        signed = signed_part(self.signs, body, stamp)
        self._check(decoded(claimed.removeprefix(self.prefix), self.encodings), signed, secrets)
        if self.timestamp_header:
            check_age(stamp, self.stamp_form, received_at, self.tolerance)

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        stamp = stamped(at, self.stamp_form)
        signature = self._sign(secret, self.signs(body, stamp))
        proof = {self.header: self.prefix + encoded(signature, self.encodings[0])}
        return proof | {self.timestamp_header: stamp} if self.timestamp_header else proof

    @abstractmethod
    def _sign(self, secret: str, signed: bytes) -> bytes:
        """The signature by that secret."""

    def _check(self, candidates: Iterable[bytes], signed: bytes, secrets: Sequence[str]) -> None:
        """Raises SignatureMismatch unless one of the candidates is the signature by a live secret; "" is none."""
        _refuse_others(candidates, [self._sign(secret, signed) for secret in secrets if secret])


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacProof(HeaderSignature):
    """HMAC over the raw body in a header. key: from the secret to the key."""

    key: Callable[[str], bytes] = plain_key

    @property
    def words(self) -> str:
        return f"HMAC {self.algorithm.upper()} in {self.header}{age_in_words(self.max_age)}"

    def _sign(self, secret: str, signed: bytes) -> bytes:
        return hmac.digest(self.key(secret), signed, self.algorithm)


@dataclass(frozen=True, slots=True, kw_only=True)
class HashProof(HeaderSignature):
    """A plain hash (no HMAC) of the body with the key behind it, in a header, hex: 17TRACK's scheme."""

    encodings: tuple[str, ...] = ("hex",)
    between: bytes = b"/"

    @property
    def words(self) -> str:
        return f"{self.algorithm.upper()} of body and key in {self.header}{age_in_words(self.max_age)}"

    def _sign(self, secret: str, signed: bytes) -> bytes:
        return hashlib.new(self.algorithm, signed + self.between + plain_key(secret)).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class StampedHmacProof:
    """Time and HMAC in one header, `t=<seconds>,v1=<hex>`; several v1 are allowed (the sender rotates its key).

    tolerance as in HmacProof.
    """

    header: str
    time_name: str = "t"
    signature_name: str = "v1"
    encodings: tuple[str, ...] = ("hex",)
    algorithm: str = "sha256"
    stamp_form: str = "seconds"
    tolerance: timedelta = timedelta(minutes=5)
    signs: Signed = stamp_dot_body
    key: Callable[[str], bytes] = plain_key
    covers_body = True
    needs_secret = True

    @property
    def headers(self) -> tuple[str, ...]:
        return (self.header,)

    @property
    def max_age(self) -> timedelta:
        return self.tolerance

    @property
    def words(self) -> str:
        return f"HMAC {self.algorithm.upper()} of time and body in {self.header}{age_in_words(self.max_age)}"

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        stamps, claimed = self._read(headers.get(self.header, ""))
        if not stamps or not claimed:
            raise SignatureMissing(f"the header {self.header} with {self.time_name} and {self.signature_name}")
        if len(stamps) > 1:
            raise SignatureMismatch("the header has two times")
        signed = signed_part(self.signs, body, stamps[0])
        candidates = (candidate for value in claimed for candidate in decoded(value, self.encodings))
        _refuse_others(candidates, [self._sign(secret, signed) for secret in secrets if secret])
        check_age(stamps[0], self.stamp_form, received_at, self.tolerance)

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        stamp = stamped(at, self.stamp_form)
        value = encoded(self._sign(secret, self.signs(body, stamp)), self.encodings[0])
        return {self.header: f"{self.time_name}={stamp},{self.signature_name}={value}"}

    def _sign(self, secret: str, signed: bytes) -> bytes:
        return hmac.digest(self.key(secret), signed, self.algorithm)

    def _read(self, value: str) -> tuple[list[str], list[str]]:
        parts = [part.strip().partition("=") for part in value[:4096].split(",")]
        stamps = [said for name, _, said in parts if name == self.time_name and said]
        return stamps, [said for name, _, said in parts if name == self.signature_name and said]


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardWebhooks:
    """The Standard Webhooks specification: `<prefix>-id`, `-timestamp` and `-signature` (`v1,<base64> ...`).

    Signed is `<id>.<timestamp>.<body>`; the secret is Base64, with or without `whsec_`. Its asymmetric form (v1a) is
    not read. tolerance: five minutes, as the specification proposes; retries are signed anew.
    """

    prefix: str = "webhook"
    tolerance: timedelta = timedelta(minutes=5)
    covers_body = True
    needs_secret = True

    @property
    def headers(self) -> tuple[str, ...]:
        return (f"{self.prefix}-id", f"{self.prefix}-timestamp", f"{self.prefix}-signature")

    @property
    def max_age(self) -> timedelta:
        return self.tolerance

    @property
    def words(self) -> str:
        return f"Standard Webhooks ({self.prefix}-signature){age_in_words(self.max_age)}"

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        message_id, stamp, value = (headers.get(name, "").strip() for name in self.headers)
        if not (message_id and stamp and value):
            raise SignatureMissing(f"the headers {', '.join(self.headers)} are not all there")
        claimed = [part.removeprefix("v1,") for part in value[:4096].split() if part.startswith("v1,")]
        candidates = (candidate for part in claimed for candidate in decoded(part, ("base64",)))
        _refuse_others(candidates, [_sign_standard(s, message_id, stamp, body) for s in secrets if s])
        check_age(stamp, "seconds", received_at, self.tolerance)

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        message_id, stamp = f"msg_{hashlib.sha256(body).hexdigest()[:20]}", stamped(at, "seconds")
        value = "v1," + encoded(_sign_standard(secret, message_id, stamp, body), "base64")
        return dict(zip(self.headers, (message_id, stamp, value), strict=True))


def _sign_standard(secret: str, message_id: str, stamp: str, body: bytes) -> bytes:
    return hmac.digest(base64_key(secret), stamp_dot_body(stamp_dot_body(body, stamp), message_id), "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlHmacProof(RequestProof):
    """HMAC over the URL the carrier called and the body behind it, in a header.

    The URL is that of MILEPOST_PUBLIC_URL with the path and query of the request, so set it where a proxy stands in
    front. signs: from URL and body to what is hashed.
    """

    header: str
    encodings: tuple[str, ...] = ("base64",)
    algorithm: str = "sha256"
    prefix: str = ""
    signs: Callable[[str, bytes], bytes] = url_then_body
    key: Callable[[str], bytes] = plain_key
    covers_body = True
    needs_secret = True
    max_age = None

    @property
    def headers(self) -> tuple[str, ...]:
        return (self.header,)

    @property
    def words(self) -> str:
        return f"HMAC {self.algorithm.upper()} of URL and body in {self.header}"

    def verify_request(self, request: Request, secrets: Sequence[str]) -> None:
        self._hmac(request.url).verify(request.headers, request.body, secrets, request.received_at)

    def prove_request(self, request: Request, secret: str) -> Request:
        proof = self._hmac(request.url).prove(request.body, secret, request.received_at)
        return replace(request, headers={**request.headers, **proof})

    def _hmac(self, url: str) -> HmacProof:
        return HmacProof(
            header=self.header,
            encodings=self.encodings,
            algorithm=self.algorithm,
            prefix=self.prefix,
            signs=lambda body, _stamp: self.signs(url, body),
            key=self.key,
        )
