"""One Odoo after another: the stand-in in both protocols and, where ODOO_URL is set, the real one in both."""

import os
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, text

from config.settings import Settings, load_settings
from tests.fakes.odoo import FakeOdoo
from tests.workers.conftest import POLICY
from tests.workers.odoo.people import by_password
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
IN_BOTH = {"test_odoo_client", "test_odoo_index", "test_odoo_setup", "test_odoo_writes"}
"""Modules whose tests run in both protocols on the real Odoo: finding, writing and setting up. How a call is put into
either is one matter, and what it does another: the others run in JSON-2 there, and in both on the stand-in."""

one_of_each = pytest.mark.parametrize("settings", [WHICH[0], WHICH[2]], indirect=True)
"""For what does not depend on the protocol: the stand-in and the real Odoo in JSON-2."""

real = pytest.mark.parametrize("settings", [WHICH[2]], indirect=True)
"""For what the stand-in does not have, such as users with rights of their own."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Nothing here is skipped but what is marked `odoo`, and that only without a real Odoo: what is not tried is not
    known.
    """
    report = yield
    if report.skipped and os.environ.get("ODOO_URL"):
        report.outcome, report.longrepr = "failed", f"skipped although ODOO_URL is set: {report.longrepr}"
    elif report.skipped and not item.get_closest_marker("odoo"):
        report.outcome, report.longrepr = "failed", f"skipped although it is not marked odoo: {report.longrepr}"
    return report


@pytest.fixture
def fake() -> Iterator[FakeOdoo]:
    """A stand-in of Odoo 19 with nothing in it."""
    with FakeOdoo() as running:
        yield running


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What a test does not choose itself."""
    chosen = any(mark.args[0] == "settings" for mark in metafunc.definition.iter_markers("parametrize"))
    if "settings" in metafunc.fixturenames and not chosen:
        in_both = metafunc.module.__name__.rpartition(".")[2] in IN_BOTH
        metafunc.parametrize("settings", WHICH if in_both else WHICH[:3], indirect=True)


@pytest.fixture
def settings(request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Settings that lead to one of the four."""
    where, protocol = request.param.split(", ")
    if where == "stand-in":
        with FakeOdoo(version=(19, 0) if protocol == "JSON-2" else (17, 0)) as running:
            yield running.settings()
        return
    if not os.environ.get("ODOO_URL"):
        pytest.skip("ODOO_URL is not set: there is no real Odoo to ask")
    told = load_settings(dict(os.environ))
    yield by_password(told, (told.odoo_api_keys or (told.odoo_password,))[0]) if protocol == "JSON-RPC" else told


@pytest.fixture
def odoo(settings: Settings) -> Iterator[Odoo]:
    """That Odoo, as it is."""
    client = connect(settings)
    yield client
    client.close()


@pytest.fixture(scope="session")
def left() -> Iterator[dict[str, str]]:
    """How the last test left the real Odoo, by its address: ready, set up as shipped; bare, without anything of ours.

    Nothing is known of one that a test has set up by itself, since it may have done so by another policy.
    """
    found: dict[str, str] = {}

    def noting(do: Callable[..., Any], how: str) -> Callable[..., Any]:
        def done(odoo: Odoo, **named: Any) -> Any:
            found.pop(odoo.url, None)
            result = do(odoo, **named)
            if how and is_real(odoo):
                found[odoo.url] = how
            return result

        return done

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(setup, "apply", noting(setup.apply, ""))
        patch.setattr(setup, "remove", noting(setup.remove, "bare"))
        yield found


@pytest.fixture
def ready(odoo: Odoo, left: dict[str, str]) -> Odoo:
    """That Odoo, set up for Milepost."""
    if left.get(odoo.url) != "ready":
        setup.apply(odoo)
        left |= {odoo.url: "ready"} if is_real(odoo) else {}
    return odoo


@pytest.fixture
def bare(odoo: Odoo, left: dict[str, str]) -> Odoo:
    """That Odoo, without anything of Milepost's."""
    if left.get(odoo.url) != "bare":
        setup.remove(odoo)
    return odoo


def is_real(odoo: Odoo) -> bool:
    """Whether it lives longer than the test."""
    return odoo.url == os.environ.get("ODOO_URL", "").rstrip("/")


@dataclass
class Shop:
    """Orders and deliveries of this test's own, so that it does not matter what else is in the database."""

    odoo: Odoo
    name: str = field(default_factory=lambda: uuid4().hex[:10].upper())
    company: int | None = None

    def number(self, place: int) -> str:
        """A tracking number nobody else uses."""
        return f"1Z{self.name}{place:06d}"

    def deliver(self, count: int) -> list[int]:
        """So many new deliveries, without tracking numbers; in that company, or else in the user's own."""
        [product] = self.odoo.call("product.product", "create", vals_list=[{"name": self.name, "type": "consu"}])
        [partner] = self.odoo.call("res.partner", "create", vals_list=[{"name": f"Customer {self.name}"}])
        line = [(0, 0, {"product_id": product, "product_uom_qty": 1})]
        values: dict[str, Any] = {"partner_id": partner, "client_order_ref": self.name, "order_line": line}
        values |= {"company_id": self.company} if self.company else {}
        orders = self.odoo.call("sale.order", "create", vals_list=[values] * count)
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

    def hand_over(self, *references: str) -> list[int]:
        """New deliveries of no order, with nothing in them, one for each of these; Odoo makes them much faster."""
        names = ["default_location_src_id", "default_location_dest_id"]
        domain = [("code", "=", "outgoing"), ("default_location_dest_id", "!=", False)]
        [kind] = self.odoo.call("stock.picking.type", "search_read", domain=domain, fields=names, limit=1)
        source, destination = (kind[name][0] for name in names)
        values = {"picking_type_id": kind["id"], "location_id": source, "location_dest_id": destination}
        return self.odoo.call(
            "stock.picking", "create", vals_list=[values | {"carrier_tracking_ref": text} for text in references]
        )

    def order_of(self, picking: int) -> int:
        return self.odoo.call("stock.picking", "read", [picking], fields=["sale_id"])[0]["sale_id"][0]


@pytest.fixture
def shop(odoo: Odoo) -> Shop:
    return Shop(odoo)


@pytest.fixture(scope="session")
def seeded() -> dict[str, list[str]]:
    """The numbers of a thousand deliveries that the real Odoo has got from a test, by its address."""
    return {}


@pytest.fixture
def thousand(shop: Shop, seeded: dict[str, list[str]]) -> list[str]:
    """The numbers of a thousand deliveries; in a real Odoo, which takes long for so many, a hundred are of orders."""
    numbers = seeded.get(shop.odoo.url, [])
    if not numbers:
        numbers = [shop.number(place) for place in range(1000)]
        of_orders = 100 if is_real(shop.odoo) else 1000
        shop.ship(*numbers[:of_orders])
        if is_real(shop.odoo):
            shop.hand_over(*numbers[of_orders:])
            seeded[shop.odoo.url] = numbers
    return numbers


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
