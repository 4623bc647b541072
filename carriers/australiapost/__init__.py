"""Australia Post and StarTrack: the answers of Track Items (Shipping and Tracking), JSON that is only polled."""

from carriers.australiapost.parser import CODES, parse
from carriers.base import Carrier
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="australiapost",
    title="Australia Post",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
