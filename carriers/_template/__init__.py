"""CARRIER_TITLE: what is pushed and what is polled, in a line. TODO"""

from carriers._template.parser import CODES, parse
from carriers.base import Carrier
from carriers.proof import HmacProof

CARRIER = Carrier(
    name="_template",
    title="CARRIER_TITLE",
    proof=HmacProof(header="x-todo-signature"),
    parse=parse,
    codes=CODES,
    transports=("push",),
)
