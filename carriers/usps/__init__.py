"""USPS: notifications of Subscriptions-Tracking v3.2, and the answers of Tracking v3."""

from carriers.base import Carrier
from carriers.usps.envelope import EnvelopeProof, timestamp_then_payload
from carriers.usps.parser import CODES, parse

CARRIER = Carrier(
    name="usps",
    title="USPS",
    proof=EnvelopeProof(header="x-hmac", signs=timestamp_then_payload),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
    accepted_status=200,
)
