"""Canada Post: the answers of its tracking service, XML that is only polled."""

from carriers.base import Carrier
from carriers.canadapost.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="canadapost",
    title="Canada Post",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
