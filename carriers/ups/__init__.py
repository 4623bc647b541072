"""UPS: Track Alert (push, v1 and v2) and Track API v1 (poll)."""

from carriers.base import Carrier
from carriers.proof import TokenProof
from carriers.ups.activity import CODES
from carriers.ups.client import POLL
from carriers.ups.parser import parse

CARRIER = Carrier(
    name="ups",
    title="UPS",
    proof=TokenProof(header="credential"),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
    poll=POLL,
    accepted_status=200,
)
