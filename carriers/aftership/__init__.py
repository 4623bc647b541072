"""AfterShip: the Tracking webhook, and the answers of the Tracking API."""

from carriers.aftership.parser import CODES, parse
from carriers.base import Carrier
from carriers.proof import HmacProof

CARRIER = Carrier(
    name="aftership",
    title="AfterShip",
    proof=HmacProof(header="aftership-hmac-sha256", encodings=("base64",)),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
)
