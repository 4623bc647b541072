"""The made-up carriers say what they are said to say."""

from datetime import UTC, datetime

import pytest

from carriers import find_carrier
from carriers.base import Message
from tests.fakes.carriers import DHL, FEDEX, SECRETS, UPS, post

AT = datetime(2026, 11, 2, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("carrier", "milestone"),
    [(name, m) for name, table in (("dhl_unified", DHL), ("ups", UPS), ("fedex", FEDEX)) for m in table],
)
def test_a_made_up_post_means_what_it_says(carrier, milestone):
    sent = post(carrier, "1Z999AA10000000001", milestone, AT)
    (event,) = find_carrier(carrier).parse(Message(sent.body, sent.headers)).events
    assert (event.milestone.value, event.instant()) == (milestone, AT)
    find_carrier(carrier).proof.verify(sent.headers, sent.body, [SECRETS[carrier]], AT)
