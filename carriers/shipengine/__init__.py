"""ShipEngine, now ShipStation API: the tracking webhook, and the answers of the tracking calls."""

from carriers.base import Carrier
from carriers.proof import stamp_dot_body
from carriers.proof.public_key import PublicKeyProof
from carriers.shipengine.event import CODES
from carriers.shipengine.parser import parse

CARRIER = Carrier(
    name="shipengine",
    title="ShipEngine (ShipStation API)",
    proof=PublicKeyProof(
        header="x-shipengine-rsa-sha256-signature",
        timestamp_header="x-shipengine-timestamp",
        stamp_form="iso",
        signs=stamp_dot_body,
    ),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
)
