"""Bring: callbacks of the Event Cast API, and answers of the Tracking API."""

from carriers.base import Carrier
from carriers.bring.parser import CODES, parse
from carriers.proof import TokenProof

CARRIER = Carrier(
    name="bring",
    title="Bring",
    proof=TokenProof(header="x-milepost-token"),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
)
