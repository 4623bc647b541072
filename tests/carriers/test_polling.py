"""How the carriers are asked, as their declarations say it: pure functions, and answers that mean what pushes mean."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from carriers import all_carriers
from carriers.base import Message
from carriers.polling import Credentials, Limit, Outcome, judge_by_status
from carriers.registry import find_carrier
from tests.fakes.carrier_api import CarrierApi
from tests.fakes.carriers import USUAL, story

ASKED = [carrier for carrier in all_carriers() if carrier.poll]
SECRETS = Credentials("key-of-ours", "id-of-ours", "secret-of-ours")
START = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)


@pytest.mark.requirement("M74", "M32")
@pytest.mark.parametrize("name", ["dhl_unified", "fedex", "ups"])
def test_a_history_that_was_pushed_and_polled_is_the_same_events(name):
    carrier = find_carrier(name)
    pushed = [
        event.key
        for post in story(name, "T123456", USUAL, START)
        for event in carrier.parse(Message(post.body, post.headers)).events
    ]
    steps = [(milestone, START + timedelta(hours=5 * step)) for step, milestone in enumerate(USUAL)]
    status, _, document = CarrierApi(name, histories={"T123456": steps}).answer(["T123456"], authorized=True)
    polled = [event.key for event in carrier.parse(Message(json.dumps(document).encode())).events]
    assert status == 200
    assert len(set(pushed)) == len(USUAL)
    assert sorted(pushed) == sorted(polled)


@pytest.mark.parametrize("carrier", ASKED, ids=lambda carrier: carrier.name)
def test_asking_is_pure_and_names_every_number_once(carrier):
    numbers = [f"T{n}" for n in range(carrier.poll.numbers_per_call)]
    calls = [carrier.poll.ask(numbers, SECRETS, "token", "0" * 32) for _ in range(2)]
    assert calls[0] == calls[1]
    told = json.dumps([calls[0].path, dict(calls[0].query), calls[0].json])
    assert all(told.count(f'{number}"') + told.count(f"/{number}") >= 1 for number in numbers)


@pytest.mark.requirement("M96")
@pytest.mark.parametrize("carrier", ASKED, ids=lambda carrier: carrier.name)
def test_credentials_stand_in_no_address_and_are_never_shown(carrier):
    calls = [carrier.poll.ask(["T1"], SECRETS, "token-of-ours", "0" * 32)]
    calls += [carrier.poll.token(SECRETS)] if carrier.poll.token else []
    for call in calls:
        shown = f"{call.path} {dict(call.query)} {call!r} {SECRETS!r}"
        assert not [word for word in ("key-of-ours", "secret-of-ours", "token-of-ours") if word in shown]


@pytest.mark.parametrize("carrier", ASKED, ids=lambda carrier: carrier.name)
def test_a_carrier_is_asked_by_tls_and_says_what_it_needs(carrier):
    assert carrier.poll.url.startswith("https://")
    assert not carrier.poll.url.endswith("/")
    assert carrier.poll.missing(Credentials()) == carrier.poll.needs != ()
    assert carrier.poll.missing(SECRETS) == ()
    assert "poll" in carrier.transports


def test_a_number_cannot_leave_its_place_in_the_address():
    call = find_carrier("ups").poll.ask(["1Z/../../oauth?x=#"], SECRETS, "token", "0" * 32)
    assert call.path == "/api/track/v1/details/1Z%2F..%2F..%2Foauth%3Fx%3D%23"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.ANSWERED),
        (204, Outcome.ANSWERED),
        (302, Outcome.REFUSED),
        (400, Outcome.BAD_NUMBER),
        (401, Outcome.REFUSED),
        (403, Outcome.REFUSED),
        (404, Outcome.NOT_FOUND),
        (408, Outcome.AWAY),
        (429, Outcome.THROTTLED),
        (500, Outcome.AWAY),
        (503, Outcome.AWAY),
    ],
)
def test_a_status_says_what_kind_of_answer_it_is(status, outcome):
    assert judge_by_status(status) is outcome


@pytest.mark.parametrize(("calls", "seconds", "burst"), [(0, 1, 1), (5, 0, 1), (5, 1, 6), (5, 1, 0)])
def test_a_limit_that_allows_nothing_is_a_mistake(calls, seconds, burst):
    with pytest.raises(ValueError, match="allows nothing"):
        Limit(calls, timedelta(seconds=seconds), burst)
