"""The envelope of a USPS notification: a timestamp, and the news as a JSON text inside the JSON."""

from datetime import datetime
from typing import Any

from carriers.proof import HmacProof
from carriers.reading import as_object, iso_moment, load_json
from shipments.errors import Unreadable


def timestamp_then_payload(body: bytes, stamp: str) -> bytes:
    """What X-HMAC signs: the envelope's timestamp and directly after it the payload, both as texts once decoded."""
    envelope = as_object(load_json(body), "the envelope")
    timestamp, payload = envelope.get("timestamp"), envelope.get("payload")
    if not isinstance(timestamp, str) or not isinstance(payload, str):
        raise Unreadable("the envelope has no timestamp and payload to sign")
    return (timestamp + payload).encode("utf-8", "surrogatepass")


class EnvelopeProof(HmacProof):
    """X-HMAC: it covers what the envelope says and when, and neither the spelling of the body nor its other fields."""

    __slots__ = ()
    covers_body = False


def open_envelope(envelope: dict[str, Any]) -> tuple[Any, datetime | None]:
    """The news inside, and when USPS sent it."""
    payload = envelope["payload"]
    news = load_json(payload.encode("utf-8", "surrogatepass")) if isinstance(payload, str) else payload
    sent_at, _ = iso_moment(envelope.get("timestamp"))
    return news, sent_at if isinstance(sent_at, datetime) and sent_at.tzinfo else None
