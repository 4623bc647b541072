"""InPost: tracking events of the international API, pushed one by one and polled, and the answers of ShipX."""

from datetime import timedelta

from carriers.base import Carrier
from carriers.inpost.parser import CODES, parse
from carriers.proof import HmacProof, stamp_dot_body

CARRIER = Carrier(
    name="inpost",
    title="InPost",
    proof=HmacProof(
        header="x-inpost-signature",
        timestamp_header="x-inpost-timestamp",
        stamp_form="iso",
        signs=stamp_dot_body,
        tolerance=timedelta(hours=1),
    ),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
    accepted_status=200,
)
