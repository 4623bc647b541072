"""A delivery in Odoo, as far as Milepost knows it."""

from dataclasses import dataclass
from datetime import datetime

from shipments.keep import Keep

LEAVES_THE_HOUSE = ("outgoing", "dropship")
"""Odoo's codes of the types of operation that bring goods to somebody else; the others are incoming and internal."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stock.picking: its id and name, the tracking numbers it carries, the order it belongs to, who is responsible.

    registered_at: when Odoo made it. written_at: when Odoo last changed it, as of this reading. Both aware.
    method: the name of Odoo's delivery method, which says who carries it; None if there is none.
    keep: who holds on to what Odoo shows of it; None if nobody does.
    operation: Odoo's code of its type of operation. stage: Odoo's state of the transfer, such as assigned or done.
    return_of: the delivery it was made from as a return, or as an exchange. backorder_of: the one it was split from.
    """

    picking_id: int
    name: str
    numbers: tuple[str, ...]
    order_id: int | None
    order_name: str | None
    company_id: int | None
    registered_at: datetime
    written_at: datetime
    user_id: int | None
    method: str | None = None
    keep: Keep | None = None
    operation: str = "outgoing"
    stage: str = ""
    return_of: int | None = None
    backorder_of: int | None = None

    @property
    def leaves_the_house(self) -> bool:
        """Whether its goods go to a customer, as with a drop shipment, too."""
        return self.operation in LEAVES_THE_HOUSE

    @property
    def is_return(self) -> bool:
        """Whether its goods come back. What is sent in exchange is made from a return, and goes out."""
        return self.return_of is not None and not self.leaves_the_house
