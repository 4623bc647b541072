"""The document of a proof of delivery: where it can be seen, or the document itself, as far as either may be passed on.

Carriers send a link, or the picture or paper in Base64, bare or as a `data:` URL (RFC 2397). What a file is, is told by
its first bytes and never by what the sender calls it.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from urllib.parse import urlsplit

PROOF = "Proof of delivery"
"""What the name of each document begins with, by which it is known among a delivery's other attachments."""

MOST_BYTES = 2 * 1024 * 1024
"""The largest document that is passed on: a scanned page or a photo of a doorstep is a tenth of it."""

_LONGEST_LINK = 2000

_TYPES = (
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"GIF87a", "image/gif", "gif"),
    (b"GIF89a", "image/gif", "gif"),
)
_BARE = ("JVBERi0", "iVBORw0KGg", "/9j/", "R0lGOD")  # how those begin in Base64


@dataclass(frozen=True, slots=True)
class Document:
    """A document that came whole. digest: of its text, 32 hex digits. content: Base64; None if refused, which says why.

    mimetype, extension: what its first bytes say; empty if refused.
    """

    digest: str
    mimetype: str = ""
    extension: str = ""
    content: str | None = None
    refused: str | None = None


def link_of(document: str | None) -> str | None:
    """The address at which people can see it: over https and without a password in it. None if there is none."""
    if not document or len(document) > _LONGEST_LINK or not document.isprintable() or " " in document:
        return None
    try:
        parts = urlsplit(document)
    except ValueError:
        return None
    return document if parts.scheme == "https" and parts.hostname and "@" not in parts.netloc else None


def document_of(document: str | None) -> Document | None:
    """The document itself; None if there is none in the text, as in a link or a carrier's own number for it."""
    if not document:
        return None
    if document[:5].lower() == "data:":
        head, _, text = document.partition(",")
        return _read(text if head.lower().endswith(";base64") else "", document)
    return _read(document, document) if document.startswith(_BARE) else None


def _read(text: str, document: str) -> Document:
    digest = hashlib.blake2b(document.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        content = b""
    if len(content) > MOST_BYTES:
        return Document(digest, refused=f"The document is larger than {MOST_BYTES // 1024} KB: see it at the carrier.")
    for start, mimetype, extension in _TYPES:
        if content.startswith(start):
            return Document(digest, mimetype, extension, base64.b64encode(content).decode())
    return Document(digest, refused="The document is no PDF, PNG, JPEG or GIF: see it at the carrier.")
