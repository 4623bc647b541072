"""GLS: answers of the group's track and trace, of the Dutch and German details, and of the public progress bar."""

from carriers.base import Carrier
from carriers.gls.parser import CODES, parse
from carriers.proof import NotPushed

CARRIER = Carrier(
    name="gls",
    title="GLS",
    proof=NotPushed(),
    parse=parse,
    codes=CODES,
    transports=("poll",),
)
