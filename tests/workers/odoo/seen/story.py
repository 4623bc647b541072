"""The shop's week as it becomes known: orders made in Odoo, events stored, effects performed there."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

from sqlalchemy import Engine, text

from shipments.clock import now
from shipments.event import Event, Location, ProofOfDelivery, TimeQuality
from shipments.milestone import ExceptionCategory, Milestone
from shipments.store.events import Told
from shipments.store.messages import MessageState, Verdict
from tests.workers.conftest import POLICY, message
from tests.workers.odoo.seen.paper import signed_paper
from tests.workers.odoo.seen.sales import SALES, Sale, Scan
from workers.act import Done, act_round
from workers.correlate import Correlated, store_deliveries
from workers.ingest import ingest_batch
from workers.odoo.client import Odoo
from workers.odoo.index import find_numbers
from workers.understand import Understood

ZONE = timezone(timedelta(hours=1))
PRODUCTS = {"Trekking tent, two persons": 249.0, "Down sleeping bag": 189.0, "Camping stove": 64.5}


@dataclass(frozen=True)
class Shipped:
    """A sale as Odoo has it."""

    sale: Sale
    order: int
    order_name: str
    picking: int
    numbers: tuple[str, ...]


class Week:
    """The sales of this test's own, by their names in SALES. word: what their orders' names begin with.

    seller: the user in Odoo whose orders they are.
    """

    def __init__(self, odoo: Odoo, seller: int) -> None:
        self.odoo = odoo
        self.word = f"WEB{uuid4().int % 1_000_000:06d}"
        self.shipped = dict(zip(SALES, self._ship(seller), strict=True))

    def tell(self, engine: Engine) -> None:
        """Everything the carriers told, stored, and everything that follows from it done in Odoo."""
        for shipped in self.shipped.values():
            batch = [_understood(shipped, scan) for scan in shipped.sale.scans]
            ingest_batch(engine, batch, POLICY)
        numbers = [number for shipped in self.shipped.values() for number in shipped.numbers]
        store_deliveries(engine, find_numbers(self.odoo, numbers), POLICY, Correlated())
        with engine.begin() as connection:
            connection.execute(text("update effects set due_at = now() where state = 'due'"))
        while act_round(engine, self.odoo, Done()).performed:
            pass

    def _ship(self, seller: int) -> list[Shipped]:
        prices = [{"name": name, "list_price": price, "type": "consu"} for name, price in PRODUCTS.items()]
        goods = self._create("product.product", prices)
        customers = self._create("res.partner", [{"name": sale.customer} for sale in SALES.values()])
        today = now().replace(hour=16, minute=0, second=0, microsecond=0)
        values = [
            {
                "name": f"{self.word}-{place:02d}",
                "partner_id": customer,
                "user_id": seller,
                "commitment_date": f"{today + timedelta(days=sale.promised):%Y-%m-%d %H:%M:%S}",
                "order_line": [(0, 0, {"product_id": goods[place % 3], "product_uom_qty": sale.parcels})],
            }
            for place, (customer, sale) in enumerate(zip(customers, SALES.values(), strict=True), 1)
        ]
        orders = self._create("sale.order", values)
        self.odoo.call("sale.order", "action_confirm", orders)
        rows = self.odoo.call("stock.picking", "search_read", domain=[("sale_id", "in", orders)], fields=["sale_id"])
        pickings = {row["sale_id"][0]: row["id"] for row in rows}
        shipped = [
            Shipped(sale, order, row["name"], pickings[order], _numbers(sale))
            for sale, order, row in zip(SALES.values(), orders, values, strict=True)
        ]
        data = [[str(one.picking), ",".join(one.numbers)] for one in shipped]
        answer = self.odoo.call("stock.picking", "load", fields=[".id", "carrier_tracking_ref"], data=data)
        assert answer["ids"], answer["messages"]
        return shipped

    def _create(self, model: str, values: list[dict]) -> list[int]:
        return self.odoo.call(model, "create", vals_list=values)


def _numbers(sale: Sale) -> tuple[str, ...]:
    """Tracking numbers nobody else uses, in the carrier's form."""
    digits = [f"{uuid4().int % 10**12:012d}" for _ in range(sale.parcels)]
    if sale.carrier == "ups":
        return tuple(f"1Z58F2A0{number[:10]}" for number in digits)
    return tuple(f"JJD0149{number}" if sale.carrier == "dhl_unified" else number for number in digits)


def _understood(shipped: Shipped, scan: Scan) -> Understood:
    """The message that told of that scan, some minutes after it."""
    at = (now() - timedelta(hours=scan.hours_ago)).replace(second=0, microsecond=0)
    about = message(shipped.sale.carrier, received_at=at + timedelta(minutes=4))
    told = Told(_event(shipped, scan, at.astimezone(ZONE)), about.id, about.received_at)
    return Understood(Verdict(about, MessageState.DONE, None, 1), (told,))


def _event(shipped: Shipped, scan: Scan, at: datetime) -> Event:
    proof = ProofOfDelivery(scan.signed_by, at.isoformat(), signed_paper(scan.signed_by)) if scan.signed_by else None
    return Event(
        carrier=shipped.sale.carrier,
        tracking_number=shipped.numbers[scan.parcel],
        milestone=Milestone(scan.milestone),
        code=scan.milestone.upper(),
        description=scan.words,
        occurred_at=at,
        occurred_text=at.isoformat(),
        time_quality=TimeQuality.EXACT,
        exception_category=ExceptionCategory(scan.category) if scan.category else None,
        location=Location(city=scan.city, country=scan.country),
        estimated_delivery_at=None if scan.eta is None else (datetime.now(UTC) + timedelta(days=scan.eta)).date(),
        proof_of_delivery=proof,
    )
