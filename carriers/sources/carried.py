"""Which carrier carries a parcel that a source tells of: what the source says, else what its number says.

An event's carrier stays the source, who told us, as with the aggregators; the one that carries is a reference.
`carrier` is known: the source says so, or its description. `carrier_guess` was guessed from the number, or is
`unknown` where several fit as well or none does; each `carrier_candidate` is one that fits, and why. A guess is part
neither of the event's key nor of the parcel's, so a better one, or a person's word, mends the event it stands in.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from carriers.detect import detect, likeliest
from carriers.reading import text
from carriers.sources.paths import Find
from shipments.event import CARRIER, CARRIER_CANDIDATE, CARRIER_GUESS, UNKNOWN_CARRIER, Reference

DETECT = "detect"
Patterns = tuple[tuple[re.Pattern[str], str], ...]


def carrier_of(
    find: Find | None, patterns: Patterns, otherwise: str | None
) -> Callable[[Any, str], tuple[Reference, ...]]:
    """What finds the references that say who carries a parcel; given the parcel and its tracking number.

    find: where the source names the carrier. patterns: the first that fits the whole number decides. otherwise: a
    name, DETECT, or None for nothing.
    """

    def say(parcel: Any, number: str) -> tuple[Reference, ...]:
        if find and (named := text(find(parcel))):
            return (Reference(CARRIER, named),)
        for pattern, name in patterns:
            if pattern.fullmatch(number):
                return (Reference(CARRIER, name),)
        if otherwise == DETECT:
            return guess(number)
        return (Reference(CARRIER, otherwise),) if otherwise else ()

    return say


@lru_cache(maxsize=1024)
def guess(number: str) -> tuple[Reference, ...]:
    """The guess, or that there is none, and the candidates with their reasons."""
    candidates = detect(number)
    chosen = likeliest(candidates)
    listed = (Reference(CARRIER_CANDIDATE, f"{c.carrier} {c.confidence:.2f}: {c.because}") for c in candidates)
    return (Reference(CARRIER_GUESS, chosen.carrier if chosen else UNKNOWN_CARRIER), *listed)
