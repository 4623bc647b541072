"""Odoo's automation rule rings at our door: a number that is typed in there is matched at once."""

import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine
from werkzeug.serving import make_server

from app.factory import create_app
from app.odoo import Bell
from app.receiver.keeper import Keeper
from config.settings import Settings, load_settings
from shipments.errors import SetupFault
from tests.fakes.odoo import FakeOdoo
from tests.shipments.telling import told
from tests.workers.conftest import POLICY
from tests.workers.odoo.conftest import Shop
from workers.correlate import Correlated, link_strangers, pull_changes
from workers.odoo import setup, webhook
from workers.odoo.client import Odoo, connect
from workers.odoo.commands import odoo as command

WORD = "a-word-of-20-letters-new"
MODULE = [("name", "=", "base_automation")]
DOOR = {"ODOO_WEBHOOK_WORD": WORD, "MILEPOST_PUBLIC_URL": "https://hooks.example.com/"}


class Front:
    """Our door on this machine, as Odoo reaches it, and whether it rang."""

    def __init__(self) -> None:
        self.rung = threading.Event()
        self.settings = load_settings({"ODOO_WEBHOOK_WORD": WORD})
        keeper = Keeper(None, None, max_length=1, wake=lambda lane: None)
        app = create_app(self.settings, keeper=keeper, carriers=[], bell=Bell(self.rung.set, gap_seconds=0))
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = webhook.door(replace(self.settings, public_url=f"http://127.0.0.1:{self._server.server_port}")).url

    def __enter__(self) -> "Front":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def front() -> Iterator[Front]:
    with Front() as front:
        yield front


@pytest.fixture(params=["JSON-2", "JSON-RPC"])
def real(request: pytest.FixtureRequest) -> Iterator[Odoo]:
    """A real Odoo with automation rules, without ours. The module is installed where it is missing."""
    if not os.environ.get("ODOO_URL"):
        pytest.skip("ODOO_URL is not set: there is no real Odoo to ask")
    environ = dict(os.environ) | {"ODOO_TIMEOUT_SECONDS": "120"}
    client = connect(load_settings(environ | ({"ODOO_API_KEY": ""} if request.param == "JSON-RPC" else {})))
    assert client.protocol == request.param
    (module,) = client.call("ir.module.module", "search_read", domain=MODULE, fields=["state"])
    if module["state"] != "installed":
        client.call("ir.module.module", "button_immediate_install", [module["id"]])
        client.forget_fields()
    setup.apply(client)
    webhook.remove(client)
    yield client
    webhook.remove(client)
    client.close()


def type_in(odoo: Odoo, picking: int, number: str) -> None:
    odoo.call("stock.picking", "write", [picking], vals={"carrier_tracking_ref": number})


@pytest.mark.odoo
@pytest.mark.requirement("M50", "M15")
def test_a_number_typed_in_odoo_finds_its_parcel_as_soon_as_odoo_rings(
    real: Odoo,
    front: Front,
    engine: Engine,
    ingest: Callable[..., object],
    rows: Callable[..., list],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop = Shop(real)
    (picking,) = shop.deliver(1)
    number = shop.number(1)
    pull_changes(engine, real, POLICY, Correlated())
    ingest([told("in_transit", 1, tracking_number=number)])
    assert rows("select count(*) from parcels where unmatched_since is not null") == [(1,)]
    webhook.add(real, front.url)
    type_in(real, picking, number)
    assert front.rung.wait(10), "Odoo did not ring"
    monkeypatch.setattr(type(real), "uid", 1)  # as if it had been somebody else
    pull_changes(engine, real, POLICY, Correlated())
    link_strangers(engine, POLICY, Correlated())
    assert rows("select count(*) from parcels where unmatched_since is not null") == [(0,)]
    assert (picking,) in rows("select subject from effects where kind = 'delivery'")


@pytest.mark.odoo
@pytest.mark.requirement("M75")
def test_odoo_rings_for_a_tracking_number_and_for_nothing_else_that_is_written(real: Odoo, front: Front) -> None:
    (picking,) = Shop(real).ship("1ZUNCHANGED")
    webhook.add(real, front.url)
    type_in(real, picking, "1ZUNCHANGED")
    real.call("stock.picking", "write", [picking], vals={"note": "<p>by a person</p>"})
    row = [[str(picking), "delivered"]]
    assert real.call("stock.picking", "load", fields=[".id", "x_milepost_milestone"], data=row)["ids"]
    assert not front.rung.wait(1.5)
    type_in(real, picking, "1ZCHANGED")
    assert front.rung.wait(10)


@pytest.mark.odoo
def test_the_rule_is_there_once_however_often_it_is_made_and_is_taken_away_again(real: Odoo, front: Front) -> None:
    webhook.add(real, "http://127.0.0.1:1/elsewhere")
    webhook.add(real, front.url)
    rules = real.call("base.automation", "search_read", domain=[("name", "like", "Milepost")], fields=["active"])
    actions = real.call("ir.actions.server", "search_read", domain=[("name", "like", "Milepost")], fields=[])
    assert [rule["active"] for rule in rules] == [True]
    assert [(a["webhook_url"], a["webhook_field_ids"]) for a in actions] == [(front.url, [])]
    assert webhook.remove(real)
    assert real.call("base.automation", "search_count", domain=[("name", "like", "Milepost")]) == 0
    assert real.call("ir.actions.server", "search_count", domain=[("name", "like", "Milepost")]) == 0
    assert not webhook.remove(real)


@pytest.mark.odoo
def test_a_person_saves_a_number_although_nobody_answers_the_ring(real: Odoo) -> None:
    (picking,) = Shop(real).deliver(1)
    webhook.add(real, "http://127.0.0.1:1/odoo/changed/nobody")
    type_in(real, picking, "1ZSAVED")
    (row,) = real.call("stock.picking", "read", [picking], fields=["carrier_tracking_ref"])
    assert row["carrier_tracking_ref"] == "1ZSAVED"


def test_an_odoo_without_automation_rules_names_the_module_to_install(fake: FakeOdoo) -> None:
    with pytest.raises(SetupFault, match="base_automation"):
        webhook.add(connect(fake.settings()), "https://hooks.example.com/odoo/changed/x")


def test_an_odoo_before_17_is_told_that_it_is_asked_instead() -> None:
    with FakeOdoo(version=(16, 0)) as old, pytest.raises(SetupFault, match="from version 17 on"):
        webhook.add(connect(old.settings()), "https://hooks.example.com/odoo/changed/x")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"MILEPOST_PUBLIC_URL": ""}, "MILEPOST_PUBLIC_URL is not set"),
        ({"MILEPOST_PUBLIC_URL": "http://hooks.example.com"}, "in the clear"),
        ({"ODOO_WEBHOOK_WORD": ""}, "ODOO_WEBHOOK_WORD is not set"),
    ],
)
def test_what_is_missing_for_the_rule_is_said(changed: dict[str, str], sentence: str) -> None:
    with pytest.raises(SetupFault, match=sentence):
        webhook.door(load_settings(DOOR | changed))


def test_a_dry_run_says_what_would_be_made_and_never_the_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def told_settings(environ: object = None) -> Settings:
        return load_settings(DOOR)

    monkeypatch.setattr(webhook, "load_settings", told_settings)
    result = CliRunner().invoke(command, ["webhook", "--dry-run"])
    assert result.exit_code == 0, result.output
    assert "https://hooks.example.com/odoo/changed/..." in result.output
    assert WORD not in result.output
