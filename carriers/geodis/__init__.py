"""Geodis: the answers of its Zoom Client interface, JSON in French that is only polled."""

from carriers.base import Carrier
from carriers.geodis.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="geodis",
    title="Geodis",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
