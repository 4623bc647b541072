"""DHL, Shipment Tracking Unified: one shape for all DHL units, pushed by subscription and polled."""

from carriers.base import Carrier
from carriers.dhl_unified.client import POLL
from carriers.dhl_unified.control import greet
from carriers.dhl_unified.meaning import CODES
from carriers.dhl_unified.parser import parse
from carriers.proof import TokenProof

CARRIER = Carrier(
    name="dhl_unified",
    title="DHL (Shipment Tracking Unified)",
    proof=TokenProof(header="dhl-hook-token"),
    parse=parse,
    codes=CODES,
    transports=("push", "poll"),
    poll=POLL,
    greet=greet,
)
