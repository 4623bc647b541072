"""Chronopost: the tracking service by SOAP, which is only asked."""

from carriers.base import Carrier
from carriers.chronopost.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="chronopost",
    title="Chronopost",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
