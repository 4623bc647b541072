"""Purolator: the answers of TrackPackagesByPin, SOAP that is only polled."""

from carriers.base import Carrier
from carriers.proof import NotPushed
from carriers.purolator.parser import CODES, parse

CARRIER = Carrier(
    name="purolator",
    title="Purolator",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
