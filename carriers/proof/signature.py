"""Schemes with a shared key that sign what they send: HMAC in its variants, and a plain hash with the key in it."""

import base64
import binascii
import hashlib
import hmac
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from carriers.proof.compare import age_in_words, check_age, decoded, encoded, is_any, stamped
from carriers.proof.scheme import RequestProof
from carriers.request import Request
from shipments.errors import SignatureMismatch, SignatureMissing, Unreadable

Signed = Callable[[bytes, str], bytes]
"""From the body and the stamp (empty where none is sent) to what is signed. Raises ValueError or Unreadable."""


def raw_body(body: bytes, stamp: str) -> bytes:
    """What most schemes sign: the body as it came."""
    return body


def stamp_dot_body(body: bytes, stamp: str) -> bytes:
    """What schemes with a timestamp usually sign: `<timestamp>.<body>`."""
    return stamp.encode("utf-8", "surrogateescape") + b"." + body


def url_then_body(url: str, body: bytes) -> bytes:
    """What schemes with the address usually sign: the URL and directly after it the body."""
    return url.encode("utf-8", "surrogateescape") + body


def plain_key(secret: str) -> bytes:
    """The key as the settings have it."""
    return secret.encode("utf-8", "surrogateescape")


def nfkd_key(secret: str) -> bytes:
    """The key in Unicode's compatibility decomposition, as EasyPost uses it."""
    return unicodedata.normalize("NFKD", secret).encode("utf-8", "surrogateescape")


def base64_key(secret: str) -> bytes:
    """The key that the secret is the Base64 of, as DCSA and Standard Webhooks hand it out.

    A secret that is no Base64 is taken as it is, so that a wrongly set one is a mismatch and not an error.
    """
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (ValueError, binascii.Error):
        return plain_key(secret)


def _digests(algorithm: str, key: Callable[[str], bytes], secrets: Sequence[str], signed: bytes) -> list[bytes]:
    """The HMAC by each live secret; an empty one is none."""
    return [hmac.digest(key(secret), signed, algorithm) for secret in secrets if secret]


def signed_part(signs: Signed, body: bytes, stamp: str) -> bytes:
    """What is signed. Raises SignatureMismatch where the body lacks it."""
    try:
        return signs(body, stamp)
    except (ValueError, Unreadable):
        raise SignatureMismatch("the body has not what is signed") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class HmacProof:
    """HMAC over the raw body in a header, Base64 or hex.

    header: lower case. encodings: those accepted, the first is the one sent. prefix: before the value, as in
    `sha256=`. timestamp_header: the time signed along, if the scheme has one, in stamp_form (seconds, milliseconds,
    iso); older or newer than tolerance is stale, and tolerance must exceed the carrier's retry span if retries keep the
    time. signs: what is hashed. key: from the secret to the key.
    """

    header: str
    encodings: tuple[str, ...] = ("base64",)
    algorithm: str = "sha256"
    prefix: str = ""
    timestamp_header: str | None = None
    stamp_form: str = "seconds"
    tolerance: timedelta = timedelta(minutes=5)
    signs: Signed = raw_body
    key: Callable[[str], bytes] = plain_key
    covers_body = True
    needs_secret = True

    @property
    def headers(self) -> tuple[str, ...]:
        return (self.header, self.timestamp_header) if self.timestamp_header else (self.header,)

    @property
    def max_age(self) -> timedelta | None:
        return self.tolerance if self.timestamp_header else None

    @property
    def words(self) -> str:
        return f"HMAC {self.algorithm.upper()} in {self.header}{age_in_words(self.max_age)}"

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        claimed = headers.get(self.header, "").strip()
        stamp = headers.get(self.timestamp_header, "").strip() if self.timestamp_header else ""
        if not claimed or (self.timestamp_header and not stamp):
            raise SignatureMissing(f"the header {' and '.join(self.headers)} is missing")
        digests = _digests(self.algorithm, self.key, secrets, signed_part(self.signs, body, stamp))
        if not is_any(decoded(claimed.removeprefix(self.prefix), self.encodings), digests):
            raise SignatureMismatch("no live secret made this signature")
        if self.timestamp_header:
            check_age(stamp, self.stamp_form, received_at, self.tolerance)

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        stamp = stamped(at, self.stamp_form)
        digest = hmac.digest(self.key(secret), self.signs(body, stamp), self.algorithm)
        proof = {self.header: self.prefix + encoded(digest, self.encodings[0])}
        return proof | {self.timestamp_header: stamp} if self.timestamp_header else proof


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
        digests = _digests(self.algorithm, self.key, secrets, signed_part(self.signs, body, stamps[0]))
        if not is_any((c for value in claimed for c in decoded(value, self.encodings)), digests):
            raise SignatureMismatch("no live secret made this signature")
        check_age(stamps[0], self.stamp_form, received_at, self.tolerance)

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        stamp = stamped(at, self.stamp_form)
        value = encoded(hmac.digest(self.key(secret), self.signs(body, stamp), self.algorithm), self.encodings[0])
        return {self.header: f"{self.time_name}={stamp},{self.signature_name}={value}"}

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
        digests = _digests("sha256", base64_key, secrets, stamp_dot_body(stamp_dot_body(body, stamp), message_id))
        if not is_any((c for part in claimed for c in decoded(part, ("base64",))), digests):
            raise SignatureMismatch("no live secret made this signature")
        check_age(stamp, "seconds", received_at, self.tolerance)

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        message_id, stamp = f"msg_{hashlib.sha256(body).hexdigest()[:20]}", stamped(at, "seconds")
        signed = stamp_dot_body(stamp_dot_body(body, stamp), message_id)
        value = "v1," + encoded(hmac.digest(base64_key(secret), signed, "sha256"), "base64")
        return dict(zip(self.headers, (message_id, stamp, value), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class HashProof:
    """A plain hash (no HMAC) of the body with the key behind it, in a header, hex: 17TRACK's scheme."""

    header: str
    between: bytes = b"/"
    algorithm: str = "sha256"
    covers_body = True
    needs_secret = True
    max_age = None

    @property
    def headers(self) -> tuple[str, ...]:
        return (self.header,)

    @property
    def words(self) -> str:
        return f"{self.algorithm.upper()} of body and key in {self.header}"

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        claimed = headers.get(self.header, "").strip()
        if not claimed:
            raise SignatureMissing(f"the header {self.header} is missing")
        digests = [self._digest(body, secret) for secret in secrets if secret]
        if not is_any(decoded(claimed, ("hex",)), digests):
            raise SignatureMismatch("no live secret made this signature")

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        return {self.header: self._digest(body, secret).hex()}

    def _digest(self, body: bytes, secret: str) -> bytes:
        return hashlib.new(self.algorithm, body + self.between + plain_key(secret)).digest()


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
        claimed = request.headers.get(self.header, "").strip()
        if not claimed:
            raise SignatureMissing(f"the header {self.header} is missing")
        digests = _digests(self.algorithm, self.key, secrets, self.signs(request.url, request.body))
        if not is_any(decoded(claimed.removeprefix(self.prefix), self.encodings), digests):
            raise SignatureMismatch("no live secret made this signature")

    def prove_request(self, request: Request, secret: str) -> Request:
        digest = hmac.digest(self.key(secret), self.signs(request.url, request.body), self.algorithm)
        value = self.prefix + encoded(digest, self.encodings[0])
        return replace(request, headers={**request.headers, self.header: value})
