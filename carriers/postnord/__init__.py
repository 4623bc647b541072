"""PostNord, Track & Trace: polled; the Nordic post answers with shipments, their items and the events of each."""

from carriers.base import Carrier
from carriers.postnord.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="postnord",
    title="PostNord",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
