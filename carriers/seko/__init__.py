"""SEKO OmniParcel: the answers of its status call, polled."""

from carriers.base import Carrier
from carriers.proof import NotPushed
from carriers.seko.parser import CODES, parse

CARRIER = Carrier(
    name="seko",
    title="SEKO OmniParcel",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
