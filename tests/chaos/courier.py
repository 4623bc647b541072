"""The courier of tests/chaos/sources: what it posts, with estimates, signatories and photos."""

import base64
import json
from datetime import UTC, date, datetime
from pathlib import Path

from carriers.sources import load_source
from tests.fakes.carriers import Post

NAME = "nordwind"
SECRET = "chaos-secret-nordwind"
SOURCES = Path(__file__).with_name("sources")
WORDS = {
    "label_created": ("BOOKED", "Booked by the sender"),
    "picked_up": ("COLLECTED", "Collected"),
    "arrived_at_facility": ("AT_HUB", "At the hub"),
    "out_for_delivery": ("ON_TOUR", "On tour"),
    "delivered": ("HANDED_OVER", "Handed over"),
    "exception": ("NO_SUCH_STREET", "There is no such street"),
    "customs_clearance": ("AT_CUSTOMS", "Held by customs"),
    "delivery_attempted": ("HANDED_BACK", "Handed back at the door"),
}
"""What each milestone is called there."""

_PROOF = load_source(SOURCES / f"{NAME}.toml").proof


def post(number: str, milestone: str, at: datetime, expected_on: date | None = None) -> Post:
    """The courier tells that the parcel reached the milestone at that time (aware), and when it is expected."""
    code, words = WORDS[milestone]
    told = {"number": number, "state": code, "words": words, "at": at.astimezone(UTC).isoformat(timespec="seconds")}
    told |= {"town": "Oslo", "country": "NO", "expected_on": expected_on.isoformat() if expected_on else ""}
    if milestone == "delivered":
        told |= {"signed_by": f"Reception {number[-3:]}", "photo": _photo(number)}
    body = json.dumps(told).encode()
    headers = _PROOF.prove(body, SECRET, at) | {"content-type": "application/json"}
    return Post(NAME, number, milestone, body, headers)


def _photo(number: str) -> str:
    """Something that begins as a PNG does, another one for each parcel."""
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + number.encode()).decode()
