"""17TRACK: the webhook and the answers of gettrackinfo, API v2 to v2.4. Imports are relative: no word begins with 1."""

from carriers.base import Carrier
from carriers.proof import HashProof

from .parser import CODES, parse

CARRIER = Carrier(
    name="17track",
    title="17TRACK",
    proof=HashProof(header="sign"),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
    accepted_status=200,
)
