"""From a sealed message to events: open, decompress, read. A message that cannot be read is parked alone."""

import logging
import zlib
from collections.abc import Iterable

from msgspec import Struct

from carriers.base import Message, Reading
from carriers.reading import LARGEST_BODY
from carriers.registry import find_carrier
from shipments.errors import Permanent, Unreadable
from shipments.store.events import Told
from shipments.store.intake import Intaken
from shipments.store.messages import MessageState, Verdict
from shipments.store.seal import Seal

log = logging.getLogger(__name__)

_WINDOW_BITS = {"gzip": 31, "deflate": 15}


class Understood(Struct, frozen=True):
    """What a message turned out to be, and what it tells."""

    verdict: Verdict
    told: tuple[Told, ...] = ()


def understand(message: Intaken, seal: Seal) -> Understood:
    """Reads one message. Never raises for what the message holds: whatever is wrong with it becomes its verdict."""
    try:
        reading = _read(message, seal)
    except (Unreadable, Permanent) as fault:
        return Understood(Verdict(message, MessageState.PARKED, str(fault)))
    except Exception as fault:
        log.exception("a parser failed", extra=_about(message))
        return Understood(Verdict(message, MessageState.PARKED, f"the parser failed ({type(fault).__name__}); a bug"))
    told = tuple(Told(event, message.id, message.received_at) for event in reading.events)
    return Understood(_verdict(message, reading), told)


def _read(message: Intaken, seal: Seal) -> Reading:
    carrier = find_carrier(message.carrier)
    if carrier is None:
        raise Unreadable(f"there is no carrier {message.carrier!r} any more")
    body, headers = seal.open(message.id, message.sealed)
    return carrier.parse(Message(decompress(body, headers.get("content-encoding", "")), headers))


def decompress(body: bytes, encoding: str) -> bytes:
    """The body without its content encoding (gzip or deflate), at most LARGEST_BODY bytes of it."""
    if encoding.lower() in ("", "identity"):
        return body
    bits = _WINDOW_BITS.get(encoding.lower())
    if bits is None:
        raise Unreadable(f"content encoding {encoding[:40]!r} is not gzip or deflate")
    inflater = zlib.decompressobj(bits)
    try:
        plain = inflater.decompress(body, LARGEST_BODY)
    except zlib.error as fault:
        raise Unreadable(f"the body is not {encoding.lower()}: {fault}") from None
    if inflater.unconsumed_tail or not inflater.eof:
        raise Unreadable(f"the body is cut off, or has more than {LARGEST_BODY} bytes once decompressed")
    return plain


def _verdict(message: Intaken, reading: Reading) -> Verdict:
    """Faults in parts and notices for a person park the message; what it does tell counts all the same."""
    reasons = [f"{fault.where}: {fault.reason}" for fault in reading.faults]
    if reading.notice:
        reasons.append(reading.notice)
    parked = reading.faults or reading.needs_a_person
    state = MessageState.PARKED if parked else MessageState.DONE
    return Verdict(message, state, "; ".join(reasons)[:2000] or None, len(reading.events))


def understand_all(messages: Iterable[Intaken], seal: Seal) -> list[Understood]:
    """Reads each message, one at a time."""
    return [understand(message, seal) for message in messages]


def _about(message: Intaken) -> dict[str, str]:
    return {"message_id": str(message.id), "carrier": message.carrier, "trace": message.trace, "stage": "ingest"}
