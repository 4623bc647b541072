"""Sendcloud: the webhook of an integration, and the answers of the tracking and parcel calls (v2, v3)."""

from carriers.base import Carrier
from carriers.proof import HmacProof
from carriers.sendcloud.parcel import CODES
from carriers.sendcloud.parser import parse

CARRIER = Carrier(
    name="sendcloud",
    title="Sendcloud",
    proof=HmacProof(header="sendcloud-signature", encodings=("hex",)),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
)
