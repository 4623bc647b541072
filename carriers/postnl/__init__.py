"""PostNL: the Shipping Status API, REST and SOAP, which is only asked."""

from carriers.base import Carrier
from carriers.postnl.parser import parse
from carriers.postnl.shipment import CODES
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="postnl",
    title="PostNL",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
