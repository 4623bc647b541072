"""FedEx: the Advanced Integrated Visibility webhook, and the answers of Track API v1."""

from carriers.base import Carrier
from carriers.fedex.client import POLL
from carriers.fedex.parser import CODES, parse
from carriers.proof import HmacProof

CARRIER = Carrier(
    name="fedex",
    title="FedEx",
    proof=HmacProof(header="fdx-signature", encodings=("base64", "hex")),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
    poll=POLL,
    accepted_status=202,
)
