"""The limits, kept in a real Valkey by all processes together."""

from datetime import timedelta

import pytest
import redis

from carriers.polling import Limit
from workers.poll.throttle import NoPlace, Throttle

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def throttle(client: redis.Redis, *limits: Limit, account: str = "a") -> Throttle:
    return Throttle(client, "testing", account, limits)


def places(client: redis.Redis, count: int, *limits: Limit) -> list[float]:
    """When each of so many calls may be made, by Valkey's clock; given out by two processes in turn."""
    both = [throttle(client, *limits), throttle(client, *limits)]
    waits = ((both[n % 2].take(30 * DAY), client.time()) for n in range(count))
    return [wait + seconds + micro / 1e6 for wait, (seconds, micro) in waits]


@pytest.mark.requirement("M85")
@pytest.mark.parametrize(
    "limit",
    [
        Limit(10, SECOND),
        Limit(1, 5 * SECOND),
        Limit(1400, 10 * SECOND),
        Limit(250, DAY, burst=20),
        Limit(3, DAY, burst=3),
    ],
)
def test_no_stretch_of_time_holds_more_calls_than_the_limit_wherever_it_begins(client, limit):
    at = places(client, 2 * limit.calls + 2, limit)
    length = limit.per.total_seconds()
    for first, beyond in zip(at, at[limit.calls :], strict=False):
        assert beyond - first > length


@pytest.mark.requirement("M85")
def test_calls_come_as_fast_as_the_limit_allows(client):
    at = places(client, 101, Limit(50, timedelta(hours=1)))
    assert 2.0 < (at[-1] - at[0]) / 3600 < 2.0 * 1.03


def test_every_limit_holds_at_once(client):
    at = places(client, 12, Limit(1, SECOND), Limit(5, DAY, burst=5))
    assert at[4] - at[0] < 6
    assert at[5] - at[0] > DAY.total_seconds()


def test_a_place_that_is_too_far_ahead_is_not_given_and_not_used_up(client):
    gate = throttle(client, Limit(1, timedelta(minutes=10)))
    assert gate.take(SECOND) == 0
    for _ in range(3):
        with pytest.raises(NoPlace) as no:
            gate.take(SECOND)
        assert 590 < no.value.seconds < 613
        assert no.value.paused == ""


@pytest.mark.requirement("M85")
def test_one_accounts_calls_are_not_counted_against_another(client):
    limit = Limit(1, timedelta(minutes=10))
    assert throttle(client, limit).take(SECOND) == 0
    assert throttle(client, limit, account="b").take(SECOND) == 0


@pytest.mark.requirement("M85", "M134")
def test_nobody_gets_a_place_before_the_time_the_carrier_asked_for(client):
    gate, other = (throttle(client, Limit(100, SECOND)) for _ in range(2))
    gate.fail("it answers 429", timedelta(minutes=7))
    with pytest.raises(NoPlace) as no:
        other.take(timedelta(minutes=6))
    assert no.value.paused == "it answers 429"
    seconds, why = other.paused()
    assert 415 < seconds <= 420
    assert why == "it answers 429"


def test_a_shorter_pause_does_not_end_a_longer_one(client):
    gate = throttle(client, Limit(100, SECOND))
    gate.pause(timedelta(minutes=7), "long")
    gate.pause(SECOND, "short")
    assert gate.paused()[1] == "long"


def test_pauses_grow_until_the_carrier_answers(client):
    gate = throttle(client, Limit(100, SECOND))
    pauses = [gate.fail("it answers 500") for _ in range(12)]
    assert pauses[0] < timedelta(seconds=7)
    assert pauses[4] > pauses[0]
    assert max(pauses) < timedelta(minutes=20)
    assert gate.failures() == 12
    gate.succeed()
    assert gate.failures() == 0
    assert gate.fail("it answers 500") < timedelta(seconds=7)


def test_what_is_remembered_goes_away_by_itself(client):
    gate = throttle(client, Limit(100, SECOND))
    gate.take(SECOND)
    gate.fail("it answers 500")
    assert all(client.ttl(key) > 0 for key in client.scan_iter("milepost:poll:*"))
