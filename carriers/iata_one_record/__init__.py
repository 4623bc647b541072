"""Air cargo by IATA ONE Record: logistics events in JSON-LD, forwarded by a ONE Record server or polled from one."""

from carriers.base import Carrier
from carriers.iata_one_record.parser import CODES, parse
from carriers.proof import TokenProof

CARRIER = Carrier(
    name="iata_one_record",
    title="Air cargo (IATA ONE Record)",
    proof=TokenProof(header="authorization", prefix="Bearer "),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
    accepted_status=204,  # as the standard wants it for a notification
)
