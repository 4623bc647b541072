"""Tracking numbers as people and programs write them into Odoo, and as Odoo is asked for them."""

import re
from functools import cache

from carriers.registry import carrier_names
from shipments.check_digits import mod10
from shipments.correlation import comparable

SEPARATORS = (",", ";", "\n", "|", "+")
"""What stands between several numbers in one reference, such as a comma; UPS's connector in Odoo writes a plus."""

_APART = re.compile(r"[,;|+\r\n\t]|\s[/&]\s")
_LABEL = re.compile(r"[^\d:#]*[:#]\s*")
_SHORTEST_OF_SEVERAL = 10


def split_numbers(reference: str | None) -> tuple[str, ...]:
    """The tracking numbers in a reference as Odoo keeps it: one text, several numbers joined by commas.

    A label or a carrier's name in front ("UPS: 1Z...", "DHL 0034...") is left out. Blanks are taken for groups within
    one number, unless each word is as long as a number.
    """
    found = [number for part in _APART.split(reference or "") for number in _numbers_in(part)]
    return tuple(dict.fromkeys(found))


def _numbers_in(part: str) -> list[str]:
    words = _LABEL.sub("", part.strip(), count=1).split() if _LABEL.match(part.strip()) else part.split()
    for count in (2, 1):
        if len(words) > count and comparable("".join(words[:count])) in _carrier_words():
            words = words[count:]
    several = all(len(word) >= _SHORTEST_OF_SEVERAL and any(c.isdigit() for c in word) for word in words)
    return words if several else [" ".join(words)]


@cache
def _carrier_words() -> frozenset[str]:
    """What carriers are called in front of a number: by the names of their folders, and the first part of those."""
    names = [name.split("_") for name in carrier_names() if not any(c.isdigit() for c in name)]
    return frozenset(word.upper() for name in names for word in ("".join(name), name[0]) if len(word) > 2)


def written_forms(number: str) -> list[str]:
    """The ways to write a number that Odoo is asked for, all of which compare equal."""
    plain = comparable(number)
    forms = {number.strip(), plain}
    if len(plain) == 18 and plain.isdecimal() and mod10(plain):
        forms |= {f"00{plain}", f"(00){plain}"}
    return sorted(forms - {""})
