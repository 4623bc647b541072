"""DHL Paket (Post & Parcel Germany): the answers of Parcel DE Tracking, XML with everything in attributes."""

from carriers.base import Carrier
from carriers.dhl_parcel_de.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="dhl_parcel_de",
    title="DHL Paket (Parcel DE Tracking)",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
