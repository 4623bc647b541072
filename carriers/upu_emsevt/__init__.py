"""Postal operators by the UPU's EMSEVT events: answers of IPS systems, and status lists of post sites."""

from carriers.base import Carrier
from carriers.proof import NotPushed
from carriers.upu_emsevt.parser import CODES, parse

CARRIER = Carrier(
    name="upu_emsevt",
    title="Postal operators (UPU EMSEVT)",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll", "file"),
)
