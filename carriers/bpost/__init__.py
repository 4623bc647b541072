"""bpost (Belgium): the answers of item tracking, XML that is only polled."""

from carriers.base import Carrier
from carriers.bpost.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="bpost",
    title="bpost",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
