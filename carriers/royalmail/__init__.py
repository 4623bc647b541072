"""Royal Mail: the Tracking API v2 (events, summary, signature), which is only asked."""

from carriers.base import Carrier
from carriers.proof import NotPushed
from carriers.royalmail.parser import CODES, parse

CARRIER = Carrier(
    name="royalmail",
    title="Royal Mail",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
