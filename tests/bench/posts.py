"""The webhooks of the bench: FedEx pushes of about 2 KB, signed, as the bytes of whole HTTP requests."""

import json
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from carriers import find_carrier
from tests.fakes.carriers import SECRETS, USUAL, post

CARRIER = "fedex"

_CONTACT = {"companyName": "Made-up Trading", "phoneNumber": "0000000000"}
_ADDRESS = {"streetLines": ["1 Invented Street"], "city": "MEMPHIS", "stateOrProvinceCode": "TN", "countryCode": "US"}
_DETAIL = {
    "shipperInformation": {"contact": _CONTACT, "address": _ADDRESS | {"residential": False}},
    "recipientInformation": {"contact": _CONTACT, "address": _ADDRESS | {"residential": True}},
    "serviceDetail": {"type": "FEDEX_GROUND", "description": "FedEx Ground", "shortDescription": "FG"},
    "packageDetails": {
        "packagingDescription": {"type": "YOUR_PACKAGING", "description": "Customer Packaging"},
        "weightAndDimensions": {
            "weight": [{"value": "12.0", "unit": "LB"}, {"value": "5.44", "unit": "KG"}],
            "dimensions": [{"length": 12, "width": 10, "height": 8, "units": "IN"}],
        },
        "physicalPackagingType": "PACKAGE",
        "sequenceNumber": "1",
        "count": "1",
    },
}


def made_up_numbers(count: int, prefix: str) -> list[str]:
    """So many tracking numbers; another prefix gives other ones."""
    return [f"{prefix}{place:08d}" for place in range(count)]


def bodies(numbers: Sequence[str], milestones: Sequence[str] = USUAL, seed: int = 1) -> list[bytes]:
    """Each number's way or those steps of it, a body a step, all of them shuffled."""
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
    made = [
        _body(number, milestone, start + timedelta(hours=5 * step))
        for number in numbers
        for step, milestone in enumerate(USUAL)
        if milestone in milestones
    ]
    random.Random(seed).shuffle(made)
    return made


def _body(number: str, milestone: str, at: datetime) -> bytes:
    document = json.loads(post(CARRIER, number, milestone, at).body)
    document["output"]["completeTrackResults"][0]["trackResults"][0] |= _DETAIL
    return json.dumps(document).encode()


def requests(posted: Sequence[bytes]) -> Iterator[bytes]:
    """The same as HTTP requests, signed."""
    carrier = find_carrier(CARRIER)
    assert carrier is not None
    for body in posted:
        proof = carrier.proof.prove(body, SECRETS[CARRIER], datetime.now(UTC))
        headers = proof | {"content-type": "application/json", "content-length": str(len(body)), "host": "127.0.0.1"}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        yield f"POST /in/{CARRIER} HTTP/1.1\r\n{head}\r\n".encode() + body
