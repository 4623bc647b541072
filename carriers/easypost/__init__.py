"""EasyPost: the webhook of tracker events, and the answers of the Tracker API."""

from carriers.base import Carrier
from carriers.easypost.parser import CODES, parse
from carriers.proof import HmacProof, nfkd_key

CARRIER = Carrier(
    name="easypost",
    title="EasyPost",
    proof=HmacProof(header="x-hmac-signature", encodings=("hex",), prefix="hmac-sha256-hex=", key=nfkd_key),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
)
