"""Asendia: the answers of Asendia Sync (Europe) and of Asendia USA, both polled."""

from carriers.asendia.parser import CODES, parse
from carriers.base import Carrier
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="asendia",
    title="Asendia",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
