"""TNT (FedEx): the tracking answers of ExpressConnect, XML that is only polled."""

from carriers.base import Carrier
from carriers.proof import NotPushed
from carriers.tnt.parser import CODES, parse

CARRIER = Carrier(
    name="tnt",
    title="TNT",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
