"""DPD: answers of the parcel life cycle service (SOAP and REST) and of the dpdgroup parcel interface (JSON)."""

from carriers.base import Carrier
from carriers.dpd.parser import ASKED, CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="dpd",
    title="DPD",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    kept_headers=(ASKED,),
    transports=("poll",),
)
