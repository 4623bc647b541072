"""DHL Express: the tracking answers of the MyDHL API (JSON) and of the older XML services (XML-PI)."""

from carriers.base import Carrier
from carriers.dhl_express.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="dhl_express",
    title="DHL Express (MyDHL API)",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
