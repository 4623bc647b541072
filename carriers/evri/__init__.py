"""Evri (earlier Hermes UK): the tracking API, which is only asked."""

from carriers.base import Carrier
from carriers.evri.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="evri",
    title="Evri",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
