"""A delivery in Odoo, as far as Milepost knows it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stock.picking: its id and name, the tracking numbers it carries, the order it belongs to, who is responsible.

    registered_at: when Odoo made it. written_at: when Odoo last changed it, as of this reading. Both aware.
    method: the name of Odoo's delivery method, which says who carries it; None if there is none.
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
