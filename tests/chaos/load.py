"""What the carriers post: the ways of many parcels, each event up to ten times, and all of it shuffled."""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import cycle

from carriers import find_carrier
from tests.chaos import courier
from tests.chaos.orders import Order
from tests.chaos.policy import OVERDUE_AFTER
from tests.fakes.carriers import DHL, FEDEX, SECRETS, UPS, Post, post

WORDS = {"dhl_unified": DHL, "fedex": FEDEX, "ups": UPS, courier.NAME: courier.WORDS}
"""Which milestones each carrier can tell of."""

WAYS = (
    ("label_created", "picked_up", "departed_facility", "arrived_at_facility", "out_for_delivery"),
    ("label_created", "picked_up", "departed_facility", "customs_clearance"),
    ("label_created", "picked_up", "departed_facility", "exception", "arrived_at_facility", "out_for_delivery"),
    ("label_created", "picked_up", "arrived_at_facility", "out_for_delivery", "delivery_attempted"),
    ("picked_up", "arrived_at_facility", "delivery_attempted", "out_for_delivery", "delivered"),
    ("label_created", "picked_up", "departed_facility", "exception"),
)
DELIVERED = ("label_created", "picked_up", "departed_facility", "arrived_at_facility", "out_for_delivery", "delivered")
CORRECTION = "delivery_attempted"
OF_FIVE_ORDERS_ARRIVE = (0, 2)
MOST_TIMES = 10
POSTS_AN_ORDER = 40
ONE_UNREADABLE_IN = 500


@dataclass(frozen=True)
class Load:
    """events: each once, in the order in which they happened; posts: what is sent, unreadable messages among it.

    corrections: what is told of an order that had arrived, once finance has acted on it; by the name of the order.
    """

    events: tuple[Post, ...]
    posts: tuple[Post, ...]
    unreadable: frozenset[bytes]
    corrections: Mapping[str, tuple[Post, ...]]

    @property
    def size(self) -> int:
        """How many posts it is together."""
        return len(self.posts) + sum(map(len, self.corrections.values()))


def orders_for(posts: int) -> int:
    """How many orders Odoo needs for so many posts."""
    return max(12, posts // POSTS_AN_ORDER)


def make_load(
    orders: Sequence[Order], posts: int, start: datetime, during: tuple[datetime, datetime], chance: random.Random
) -> Load:
    """At least so many posts about those orders, whose ways begin around `start`.

    during: from when to when it is posted; some trouble is overdue at a moment in between.
    """
    ways = _Ways(start, during, chance)
    told = [(order, ways.of_order(place, order)) for place, order in enumerate(orders)]
    events = [event for _, parcels in told for parcel in parcels for event in parcel]
    corrections = {
        order.name: _correct(parcels[0][-1], start, chance)
        for place, (order, parcels) in enumerate(told)
        if place % 5 == OF_FIVE_ORDERS_ARRIVE[0] and CORRECTION in WORDS[parcels[0][-1].carrier]
    }
    unreadable = [_unreadable(place, start) for place in range(max(2, posts // ONE_UNREADABLE_IN))]
    times = [chance.randint(1, MOST_TIMES) for _ in events]
    while sum(times) + len(unreadable) < posts:
        place = chance.randrange(len(events))
        times[place] = min(MOST_TIMES, times[place] + 1)
    sent = [event for event, count in zip(events, times, strict=True) for _ in range(count)] + unreadable
    chance.shuffle(sent)
    return Load(_as_it_happened(events), tuple(sent), frozenset(told.body for told in unreadable), corrections)


class _Ways:
    """Gives each parcel a carrier and a way, all of them by turns, so that a small load has some of each, too."""

    def __init__(self, start: datetime, during: tuple[datetime, datetime], chance: random.Random) -> None:
        self._start, self._during, self._chance = start, during, chance
        self._carriers = cycle(WORDS)
        self._turns = {carrier: cycle(chance.sample(WAYS, len(WAYS))) for carrier in WORDS}

    def of_order(self, place: int, order: Order) -> list[list[Post]]:
        """What is told of each of its parcels."""
        arrives = place % 5 in OF_FIVE_ORDERS_ARRIVE
        return [list(self._of_parcel(number, arrives)) for number in order.numbers]

    def _of_parcel(self, number: str, arrives: bool) -> Iterator[Post]:
        carrier = next(self._carriers)
        way = DELIVERED if arrives else next(self._turns[carrier])
        steps = [milestone for milestone in way if milestone in WORDS[carrier]]
        at = self._start + timedelta(seconds=self._chance.randrange(3600))
        for step, milestone in enumerate(steps):
            is_late = carrier == courier.NAME and milestone == "exception" == steps[-1]
            expected_on = self._start.date() + timedelta(days=2 + step)  # later with each step
            yield _tell(carrier, number, milestone, self._late() if is_late else at, expected_on)
            at += timedelta(hours=3, seconds=self._chance.randrange(3600))

    def _late(self) -> datetime:
        """Trouble that is overdue in the middle of it all."""
        begin, end = self._during
        return begin + self._chance.uniform(0.2, 0.9) * (end - begin) - OVERDUE_AFTER


def _correct(delivered: Post, start: datetime, chance: random.Random) -> tuple[Post, ...]:
    """The carrier takes a delivery back, a day and more after it told of it."""
    at = start + timedelta(hours=36, seconds=chance.randrange(3600))
    return (_tell(delivered.carrier, delivered.number, CORRECTION, at),) * chance.randint(1, 3)


def _tell(carrier: str, number: str, milestone: str, at: datetime, expected_on: date | None = None) -> Post:
    """The courier says when it is expected; the others do not."""
    if carrier == courier.NAME:
        return courier.post(number, milestone, at, expected_on)
    return post(carrier, number, milestone, at)


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
    name = list(SECRETS)[place % len(SECRETS)]
    carrier = find_carrier(name)
    assert carrier is not None
    body = f'{{"unreadable": {place}, "trackingNumber": '.encode()
    return Post(name, "", "", body, carrier.proof.prove(body, SECRETS[name], at) | {"content-type": "application/json"})
