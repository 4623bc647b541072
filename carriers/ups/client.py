"""Asking UPS's Track API v1 where a package stands."""

import base64
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import quote

from carriers.polling import Call, Credentials, Limit, Poll

# Images are left out: they are large, personal, and read by nobody.
_QUERY = {"locale": "en_US", "returnSignature": "false", "returnMilestones": "false", "returnPOD": "false"}


def _ask(numbers: Sequence[str], _credentials: Credentials, token: str, call_id: str) -> Call:
    (number,) = numbers
    headers = {"Authorization": f"Bearer {token}", "transId": call_id, "transactionSrc": "milepost"}
    return Call("GET", f"/api/track/v1/details/{quote(number, safe='')}", headers, _QUERY)


def _token(credentials: Credentials) -> Call:
    pair = f"{credentials.client_id}:{credentials.client_secret}".encode()
    headers = {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return Call("POST", "/security/v1/oauth/token", headers, form={"grant_type": "client_credentials"})


# UPS publishes no limit (429 with code 10429 exists). These are ours, meant to disturb nobody.
POLL = Poll(
    url="https://onlinetools.ups.com",
    limits=(Limit(5, timedelta(seconds=1)), Limit(50_000, timedelta(days=1), burst=4_000)),
    needs=("client_id", "client_secret"),
    ask=_ask,
    token=_token,
)
