"""Asking DHL's Shipment Tracking Unified where a parcel stands."""

from collections.abc import Sequence
from datetime import timedelta

from carriers.polling import Call, Credentials, Limit, Poll


def _ask(numbers: Sequence[str], credentials: Credentials, _token: str, _call_id: str) -> Call:
    """In English, as the push is subscribed: the texts are part of how a code is understood."""
    (number,) = numbers
    headers = {"DHL-API-Key": credentials.api_key, "Accept": "application/json"}
    return Call("GET", "/track/shipments", headers, {"trackingNumber": number, "language": "en"})


# What a new app is given: 250 calls a day, one in five seconds. Beyond it 429 until midnight Greenwich time. DHL wants
# calls spread over the day (its developer support pages on rate limits and on upgrades).
POLL = Poll(
    url="https://api-eu.dhl.com",
    limits=(Limit(1, timedelta(seconds=5)), Limit(250, timedelta(days=1), burst=20)),
    needs=("api_key",),
    ask=_ask,
)
