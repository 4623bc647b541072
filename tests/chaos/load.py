"""What the carriers post: the ways of many parcels, each event up to ten times, and all of it shuffled."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from carriers import find_carrier
from tests.fakes.carriers import DHL, FEDEX, SECRETS, UPS, Post, post

WORDS = {"dhl_unified": DHL, "fedex": FEDEX, "ups": UPS}
"""Which milestones each stand-in carrier can tell of."""

WAYS = (
    ("label_created", "picked_up", "departed_facility", "arrived_at_facility", "out_for_delivery", "delivered"),
    ("label_created", "picked_up", "departed_facility", "customs_clearance", "arrived_at_facility"),
    ("label_created", "picked_up", "departed_facility", "exception", "arrived_at_facility", "out_for_delivery"),
    ("label_created", "picked_up", "arrived_at_facility", "out_for_delivery", "delivery_attempted"),
    ("picked_up", "arrived_at_facility", "delivery_attempted", "out_for_delivery", "delivered"),
    ("label_created", "picked_up", "departed_facility", "exception"),
)
MOST_TIMES = 10
POSTS_A_DELIVERY = 30
ONE_UNREADABLE_IN = 500


@dataclass(frozen=True)
class Load:
    """events: each once, in the order in which they happened; posts: what is sent, unreadable messages among it."""

    events: tuple[Post, ...]
    posts: tuple[Post, ...]
    unreadable: frozenset[bytes]


def deliveries_for(posts: int) -> int:
    """How many deliveries Odoo needs for so many posts."""
    return max(6, posts // POSTS_A_DELIVERY)


def make_load(numbers: Sequence[str], posts: int, start: datetime, chance: random.Random) -> Load:
    """At least so many posts about those tracking numbers, whose ways begin around `start`."""
    events = [told for place, number in enumerate(numbers) for told in _way(place, number, start, chance)]
    unreadable = [_unreadable(place, start) for place in range(max(2, posts // ONE_UNREADABLE_IN))]
    times = [chance.randint(1, MOST_TIMES) for _ in events]
    while sum(times) + len(unreadable) < posts:
        place = chance.randrange(len(events))
        times[place] = min(MOST_TIMES, times[place] + 1)
    sent = [told for told, count in zip(events, times, strict=True) for _ in range(count)] + unreadable
    chance.shuffle(sent)
    return Load(_as_it_happened(events), tuple(sent), frozenset(told.body for told in unreadable))


def _way(place: int, number: str, start: datetime, chance: random.Random) -> Iterator[Post]:
    carrier = list(WORDS)[place % len(WORDS)]
    at = start + timedelta(seconds=chance.randrange(3600))
    for milestone in chance.choice(WAYS):
        if milestone in WORDS[carrier]:
            yield post(carrier, number, milestone, at)
            at += timedelta(hours=3, seconds=chance.randrange(3600))


def _as_it_happened(events: Sequence[Post]) -> tuple[Post, ...]:
    """Step by step for all parcels, which keeps the order of each parcel's own events."""
    step: dict[str, int] = {}
    places = []
    for told in events:
        step[told.number] = step.get(told.number, -1) + 1
        places.append(step[told.number])
    return tuple(told for _, told in sorted(zip(places, events, strict=True), key=lambda pair: pair[0]))


def _unreadable(place: int, at: datetime) -> Post:
    """Proven to be the carrier's, and cut off: it has to be parked."""
    name = list(WORDS)[place % len(WORDS)]
    carrier = find_carrier(name)
    assert carrier is not None
    body = f'{{"unreadable": {place}, "trackingNumber": '.encode()
    return Post(name, "", "", body, carrier.proof.prove(body, SECRETS[name], at) | {"content-type": "application/json"})
