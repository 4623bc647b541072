"""What of a parcel's journey belongs to a return in Odoo: pure, from where the journey stands.

Carriers tell of a parcel that comes back in two ways: under the number it went out by, where the journey turns at some
moment, or under a number of its own. To the carrier that is a parcel like any other, and its delivery is our return.
"""

from msgspec.structs import replace

from shipments.event import Leg
from shipments.fold import Standing, on_the_way_back
from shipments.milestone import Milestone


def after_turn(journey: Standing) -> Standing | None:
    """The part of a journey after the parcel has turned; None if it has not."""
    if journey.turned_at is None:
        return None
    problems = tuple(p for p in journey.problems if p.opened_at >= journey.turned_at)
    return replace(journey, started_at=journey.turned_at, problems=problems, hand_over=None, estimates=())


def as_return(journey: Standing) -> Standing:
    """A journey under a number of its own, all of which is the way back."""
    if journey.milestone is Milestone.PARTIALLY_DELIVERED:
        milestone = Milestone.RETURN_IN_TRANSIT
    else:
        milestone = on_the_way_back(journey.milestone)
    return replace(journey, milestone=milestone, leg=Leg.RETURN, turned_at=journey.started_at, hand_over=None)
