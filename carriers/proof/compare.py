"""Comparing in constant time, decoding what a header holds, and the age of what was signed."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from shipments.errors import SignatureMismatch, SignatureStale


def is_any(claimed: Iterable[bytes], expected: Iterable[bytes]) -> bool:
    """Whether one of the claimed values is one of the expected.

    Every pair is compared, so that the time taken says nothing about which secret or encoding was near.
    """
    claimed = list(claimed)
    matches = [hmac.compare_digest(e, c) for e in expected for c in claimed]
    return any(matches)


def fingerprint(text: str) -> bytes:
    """A hash of the text: compared in its place, neither a length nor a common prefix shows in the time taken."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()


def decoded(value: str, encodings: Iterable[str]) -> Iterable[bytes]:
    """The bytes the text stands for, in each accepted encoding (hex, base64) that it fits."""
    for encoding in encodings:
        try:
            yield bytes.fromhex(value) if encoding == "hex" else base64.b64decode(value, validate=True)
        except (ValueError, binascii.Error):
            continue


def encoded(value: bytes, encoding: str) -> str:
    """The bytes as text, in hex or base64."""
    return value.hex() if encoding == "hex" else base64.b64encode(value).decode()


def check_age(stamp: str, form: str, received_at: datetime, max_age: timedelta) -> None:
    """Raises SignatureStale if the stamp (`seconds`, `milliseconds` or `iso`) is further from now than max_age."""
    try:
        signed_at = _iso_seconds(stamp) if form == "iso" else float(stamp)
    except (ValueError, OverflowError):
        raise SignatureMismatch("the timestamp is none") from None
    age = abs(received_at.timestamp() - (signed_at / 1000 if form == "milliseconds" else signed_at))
    if not age <= max_age.total_seconds():
        raise SignatureStale(f"signed {age:.0f} s away from now; {max_age.total_seconds():.0f} s are allowed")


def _iso_seconds(stamp: str) -> float:
    at = datetime.fromisoformat(stamp)
    if at.tzinfo is None:
        raise ValueError("a time without an offset is no moment")
    return at.timestamp()


def stamped(at: datetime, form: str) -> str:
    """The time as a carrier would sign it."""
    if form == "iso":
        return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(int(at.timestamp() * (1000 if form == "milliseconds" else 1)))


def age_in_words(max_age: timedelta | None) -> str:
    """`, at most 300 s old`, or nothing where no time is signed."""
    return f", at most {max_age.total_seconds():.0f} s old" if max_age else ""
