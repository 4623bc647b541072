"""Amazon SP-API notifications: from EventBridge by HTTPS, or taken from an SQS queue into a file."""

from carriers.amazon_sp_api.parser import CODES, parse
from carriers.base import Carrier
from carriers.proof import TokenProof

CARRIER = Carrier(
    name="amazon_sp_api",
    title="Amazon SP-API",
    proof=TokenProof(header="x-milepost-token"),
    parse=parse,
    codes=CODES,
    transports=("push", "file"),
    accepted_status=200,
)
