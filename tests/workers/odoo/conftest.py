"""One Odoo after another: the stand-in in both protocols and, where ODOO_URL is set, the real one in both."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from config.settings import Settings, load_settings
from tests.fakes.odoo import FakeOdoo
from tests.workers.conftest import POLICY
from workers.act import Done, act_round
from workers.correlate import Correlated, store_deliveries
from workers.odoo import setup
from workers.odoo.client import Odoo, connect
from workers.odoo.index import deliveries_of, find_numbers, read_pickings

WHICH = [
    pytest.param("stand-in, JSON-2", id="stand-in-json-2"),
    pytest.param("stand-in, JSON-RPC", id="stand-in-json-rpc"),
    pytest.param("real, JSON-2", id="real-json-2", marks=pytest.mark.odoo),
    pytest.param("real, JSON-RPC", id="real-json-rpc", marks=pytest.mark.odoo),
]


@pytest.fixture
def fake() -> Iterator[FakeOdoo]:
    """A stand-in of Odoo 19 with nothing in it."""
    with FakeOdoo() as running:
        yield running


@pytest.fixture(params=WHICH)
def settings(request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings that lead to one of the four."""
    where, protocol = request.param.split(", ")
    if where == "stand-in":
        with FakeOdoo(version=(19, 0) if protocol == "JSON-2" else (17, 0)) as running:
            yield running.settings()
        return
    if not os.environ.get("ODOO_URL"):
        pytest.skip("ODOO_URL is not set: there is no real Odoo to ask")
    if protocol == "JSON-RPC" and not os.environ.get("ODOO_PASSWORD"):
        pytest.skip("ODOO_PASSWORD is not set: an Odoo 19 speaks JSON-RPC to a password only")
    yield load_settings(dict(os.environ) | ({"ODOO_API_KEY": ""} if protocol == "JSON-RPC" else {}))


@pytest.fixture
def odoo(settings: Settings) -> Iterator[Odoo]:
    """That Odoo, as it is."""
    client = connect(settings)
    yield client
    client.close()


@pytest.fixture
def ready(odoo: Odoo) -> Odoo:
    """That Odoo, set up for Milepost."""
    setup.apply(odoo)
    return odoo


@dataclass
class Shop:
    """Orders and deliveries of this test's own, so that it does not matter what else is in the database."""

    odoo: Odoo
    name: str = field(default_factory=lambda: uuid4().hex[:10].upper())

    def number(self, place: int) -> str:
        """A tracking number nobody else uses."""
        return f"1Z{self.name}{place:06d}"

    def deliver(self, count: int) -> list[int]:
        """So many new deliveries, without tracking numbers."""
        [product] = self.odoo.call("product.product", "create", vals_list=[{"name": self.name, "type": "consu"}])
        [partner] = self.odoo.call("res.partner", "create", vals_list=[{"name": f"Customer {self.name}"}])
        line = [(0, 0, {"product_id": product, "product_uom_qty": 1})]
        values = [{"partner_id": partner, "client_order_ref": self.name, "order_line": line} for _ in range(count)]
        orders = self.odoo.call("sale.order", "create", vals_list=values)
        self.odoo.call("sale.order", "action_confirm", orders)
        rows = self.odoo.call("stock.picking", "search_read", domain=[("sale_id", "in", orders)], fields=["name"])
        return sorted(row["id"] for row in rows)

    def ship(self, *references: str) -> list[int]:
        """New deliveries, one for each of these tracking references."""
        pickings = self.deliver(len(references))
        data = [[str(picking), text] for picking, text in zip(pickings, references, strict=True)]
        answer = self.odoo.call("stock.picking", "load", fields=[".id", "carrier_tracking_ref"], data=data)
        assert answer["ids"], answer["messages"]
        return pickings

    def order_of(self, picking: int) -> int:
        return self.odoo.call("stock.picking", "read", [picking], fields=["sale_id"])[0]["sale_id"][0]


@pytest.fixture
def shop(odoo: Odoo) -> Shop:
    return Shop(odoo)


@pytest.fixture
def act(engine: Engine, ready: Odoo) -> Callable[[], Done]:
    """Rounds until nothing is due."""

    def act() -> Done:
        with engine.begin() as connection:
            connection.execute(text("update effects set due_at = now() where state = 'due'"))
        tally = Done()
        while act_round(engine, ready, tally).performed:
            pass
        return tally

    return act


@pytest.fixture
def look(engine: Engine, ready: Odoo) -> Callable[..., None]:
    """Reads those numbers' deliveries from Odoo, as the pull does."""

    def look(*numbers: str) -> None:
        store_deliveries(engine, find_numbers(ready, numbers), POLICY, Correlated())

    return look


@pytest.fixture
def reread(engine: Engine, ready: Odoo) -> Callable[..., None]:
    """Reads those deliveries from Odoo, as the pull does, whether or not they have numbers."""

    def reread(*pickings: int) -> None:
        rows = read_pickings(ready, [("id", "in", list(pickings))], "id", 1000)
        store_deliveries(engine, deliveries_of(ready, rows), POLICY, Correlated())

    return reread
