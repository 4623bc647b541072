"""Landmark Global: the XML answers of its tracking call, polled."""

from carriers.base import Carrier
from carriers.landmark.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="landmark",
    title="Landmark Global",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
