"""Asking FedEx's Track API v1 where parcels stand, up to 30 in one call."""

from collections.abc import Sequence
from datetime import timedelta

from carriers.polling import Call, Credentials, Limit, Poll


def _ask(numbers: Sequence[str], _credentials: Credentials, token: str, call_id: str) -> Call:
    headers = {"Authorization": f"Bearer {token}", "X-locale": "en_US", "x-customer-transaction-id": call_id}
    asked = [{"trackingNumberInfo": {"trackingNumber": number}} for number in numbers]
    body = {"includeDetailedScans": True, "trackingInfo": asked}
    return Call("POST", "/track/v1/trackingnumbers", headers, json=body)


def _token(credentials: Credentials) -> Call:
    form = {
        "grant_type": "client_credentials",
        "client_id": credentials.client_id,
        "client_secret": credentials.client_secret,
    }
    return Call("POST", "/oauth/token", form=form)


# FedEx's guide to quotas and rate limits: 1,400 calls in ten seconds a project, 100,000 a day for all of Track.
POLL = Poll(
    url="https://apis.fedex.com",
    limits=(Limit(1_400, timedelta(seconds=10)), Limit(100_000, timedelta(days=1), burst=8_000)),
    needs=("client_id", "client_secret"),
    numbers_per_call=30,
    ask=_ask,
    token=_token,
)
