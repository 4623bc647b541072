"""Reading what was posted, up to a limit, without interpreting a byte of it."""

from typing import IO, Any

from app.problem import Problem

_DRAIN_LIMITS = 8
"""A body too large is read on, up to this many times the limit, and thrown away: a server that answers 413 and closes
while the sender still writes makes it see a reset connection, which it takes for an outage and repeats for ever."""

_CHUNK = 65_536


def read_body(environ: dict[str, Any], limit: int) -> bytes:
    """The bytes that were posted, also chunked ones. Raises Problem: 413 above the limit (in bytes), 400 if cut off."""
    stream: IO[bytes] = environ["wsgi.input"]
    length = _declared_length(environ)
    if length is None and not environ.get("wsgi.input_terminated"):
        return b""
    body = stream.read(limit + 1 if length is None else min(length, limit + 1))
    if len(body) > limit:
        _drain(stream, limit * _DRAIN_LIMITS if length is None else min(length, limit * _DRAIN_LIMITS) - len(body))
        raise Problem(413, "too-large", f"At most {limit} bytes are taken in one message.")
    if length is not None and len(body) < length:
        raise Problem(400, "cut-off", "Fewer bytes arrived than were announced.")
    return body


def _declared_length(environ: dict[str, Any]) -> int | None:
    """What Content-Length says; None for a chunked body."""
    declared = environ.get("CONTENT_LENGTH") or ""
    if "HTTP_TRANSFER_ENCODING" in environ or not declared:
        return None
    if not declared.isascii() or not declared.isdigit():
        raise Problem(400, "bad-request", "Content-Length is not a number.")
    return int(declared)


def _drain(stream: IO[bytes], rest: int) -> None:
    while rest > 0 and (chunk := stream.read(min(_CHUNK, rest))):
        rest -= len(chunk)
