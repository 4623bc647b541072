"""Shippo: the webhook track_updated, and the answers of the tracking API."""

from carriers.base import Carrier
from carriers.proof import StampedHmacProof
from carriers.shippo.parser import CODES, parse

CARRIER = Carrier(
    name="shippo",
    title="Shippo",
    proof=StampedHmacProof(header="shippo-auth-signature"),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
)
