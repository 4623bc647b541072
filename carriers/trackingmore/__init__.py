"""TrackingMore: the webhook and the answers of /trackings/get, API v4; bodies of v2 are read too."""

from carriers.base import Carrier
from carriers.proof import HmacProof
from carriers.trackingmore.parser import CODES, parse

CARRIER = Carrier(
    name="trackingmore",
    title="TrackingMore",
    proof=HmacProof(header="signature", encodings=("base64", "hex")),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
    accepted_status=200,
)
