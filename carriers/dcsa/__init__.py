"""Ocean carriers that speak DCSA Track & Trace, versions 2.2 and 3: pushed by subscription and polled."""

from carriers.base import Carrier
from carriers.dcsa.parser import CODES, parse
from carriers.proof import HmacProof, base64_key

CARRIER = Carrier(
    name="dcsa",
    title="Ocean carriers (DCSA Track & Trace)",
    proof=HmacProof(header="notification-signature", encodings=("hex",), prefix="sha256=", key=base64_key),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
    accepted_status=204,  # the callback specification counts nothing else, from the HEAD that tries the address on
)
