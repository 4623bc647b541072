"""What a scheme with a key signs, and the key it makes of the secret."""

import base64
import binascii
import unicodedata
from collections.abc import Callable

from shipments.errors import SignatureMismatch, Unreadable

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


def signed_part(signs: Signed, body: bytes, stamp: str) -> bytes:
    """What is signed. Raises SignatureMismatch where the body lacks it."""
    try:
        return signs(body, stamp)
    except (ValueError, Unreadable):
        raise SignatureMismatch("the body has not what is signed") from None
