"""EasyPost: a key in Unicode's form NFKD, and a Z that is no zone."""

import hashlib
import hmac
import unicodedata
from datetime import UTC, datetime
from typing import Any

import pytest

from carriers.easypost import CARRIER
from shipments.errors import SignatureMismatch
from shipments.event import Event, TimeQuality
from shipments.milestone import Milestone
from tests.carriers.own_samples import read

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SECRET, BODY = "Schlüssel-ﬁ-é", b'{"description": "tracker.updated"}'


def headers(form: Any) -> dict[str, str]:
    """Signed with the secret in that form, as EasyPost's client libraries do with NFKD."""
    key = unicodedata.normalize(form, SECRET).encode()
    return {"x-hmac-signature": "hmac-sha256-hex=" + hmac.new(key, BODY, hashlib.sha256).hexdigest()}


@pytest.mark.requirement("M43")
def test_the_key_is_the_secret_in_the_form_nfkd() -> None:
    CARRIER.proof.verify(headers("NFKD"), BODY, [unicodedata.normalize("NFC", SECRET)], NOW)
    for form in ("NFC", "NFD"):
        with pytest.raises(SignatureMismatch):
            CARRIER.proof.verify(headers(form), BODY, [SECRET], NOW)


def first(place: Any, **fields: Any) -> Event:
    def change(body: Any) -> None:
        body["result"]["tracking_details"][0].update(fields, datetime="2026-03-02T10:00:00Z", tracking_location=place)

    return read(CARRIER, "push_in_transit", change).events[0]


def test_a_z_without_a_place_is_not_taken_for_utc() -> None:
    nowhere = {"city": None, "state": None, "country": None, "zip": None}
    assert first(nowhere).time_quality is TimeQuality.LOCAL
    assert first({**nowhere, "country": "US"}).time_quality is TimeQuality.LOCAL
    assert first({**nowhere, "country": "DE"}).time_quality is TimeQuality.ASSUMED
    assert first({**nowhere, "country": "US", "zip": "97301"}).time_quality is TimeQuality.EXACT


@pytest.mark.requirement("M28")
def test_return_to_sender_has_set_out_and_not_arrived() -> None:
    place = {"city": "Salem", "state": "OR", "country": "US", "zip": "97301"}
    event = first(place, status="return_to_sender", status_detail="return")
    assert event.milestone is Milestone.RETURN_IN_TRANSIT
