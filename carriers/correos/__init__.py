"""Correos (Spain): the answers of its localizador, JSON that is only polled."""

from carriers.base import Carrier
from carriers.correos.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="correos",
    title="Correos (Spain)",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
