"""Keys for Odoo: two live while they are rotated, a dead one is left behind, a new one is tried before one goes."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from config.settings import load_settings
from shipments.clock import now
from tests.fakes.odoo import API_KEY, FakeOdoo
from tests.workers.odoo.conftest import Shop
from tests.workers.odoo.effects import state
from workers.odoo import setup
from workers.odoo.client import OdooLockedOut, connect
from workers.odoo.expiry import watch_key
from workers.odoo.keys import Key, find_keys
from workers.odoo.writes import DONE, write_deliveries


def ends_in(fake: FakeOdoo, **time: float) -> None:
    ends = f"{now() + timedelta(**time):%Y-%m-%d %H:%M:%S}"
    connect(fake.settings()).call("res.users.apikeys", "write", [1], vals={"expiration_date": ends})


def new_key(fake: FakeOdoo) -> str:
    """Made by a person, in Odoo."""
    fake.store.add("res.users.apikeys", {"name": "new", "user_id": 2, "key": "new-key-of-no-value"})
    return "new-key-of-no-value"


# ---- which key is used


@pytest.mark.requirement("X22", "M92")
@pytest.mark.parametrize("version", [(19, 0), (17, 0)], ids=["JSON-2", "JSON-RPC"])
def test_the_first_key_that_odoo_takes_is_used(version: tuple[int, int]) -> None:
    with FakeOdoo(version=version) as fake:
        odoo = connect(fake.settings(ODOO_API_KEY=f"ended, {API_KEY}"))
        assert odoo.uid
        with pytest.raises(OdooLockedOut):
            connect(fake.settings(ODOO_API_KEY="ended,ended-too")).call("res.users", "context_get")


@pytest.mark.requirement("X22", "M92")
@pytest.mark.parametrize("version", [(19, 0), (17, 0)], ids=["JSON-2", "JSON-RPC"])
def test_a_key_that_is_dropped_between_two_writes_parks_nothing(version: tuple[int, int]) -> None:
    with FakeOdoo(version=version) as fake:
        admin = connect(fake.settings())
        setup.apply(admin)
        [picking] = Shop(admin).deliver(1)
        second = new_key(fake)
        odoo = connect(fake.settings(ODOO_API_KEY=f"{API_KEY},{second}"))
        assert set(write_deliveries(odoo, [state(picking)]).values()) == {DONE}
        fake.store.remove("res.users.apikeys", [1])
        assert set(write_deliveries(odoo, [state(picking, milestone="delivered")]).values()) == {DONE}


@pytest.mark.requirement("X22")
def test_a_key_written_to_the_file_since_the_start_is_found_when_the_old_one_is_refused(
    fake: FakeOdoo, tmp_path: Path
) -> None:
    path = tmp_path / "key"
    path.write_text(API_KEY)
    odoo = connect(load_settings({**fake.environ(), "ODOO_API_KEY": "", "ODOO_API_KEY_FILE": str(path)}))
    assert odoo.uid
    path.write_text(new_key(fake))
    fake.store.remove("res.users.apikeys", [1])
    assert odoo.call("res.users", "context_get")["uid"] == odoo.uid


def test_without_any_live_key_every_call_is_refused_until_there_is_one(fake: FakeOdoo) -> None:
    odoo = connect(fake.settings(ODOO_API_KEY=f"ended,{API_KEY}"))
    key = dict(fake.store.models["res.users.apikeys"].records[1])
    fake.store.remove("res.users.apikeys", [1])
    for _ in range(2):
        with pytest.raises(OdooLockedOut):
            odoo.call("res.users", "context_get")
    fake.store.models["res.users.apikeys"].records[1] = key
    assert odoo.call("res.users", "context_get")


# ---- when it ends


@pytest.mark.requirement("X22")
def test_when_the_key_ends_is_looked_up_once_an_hour_in_one_call(fake: FakeOdoo, engine: Engine) -> None:
    odoo = connect(fake.settings())
    assert odoo.uid
    calls = odoo.calls
    for _ in range(5):
        watch_key(engine, odoo)
    assert odoo.calls == calls + 1


@pytest.mark.requirement("X22")
def test_a_key_in_its_last_two_weeks_is_warned_of(
    fake: FakeOdoo, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    ends_in(fake, days=13)
    watch_key(engine, connect(fake.settings()))
    assert [record.message for record in caplog.records if "ends soon" in record.message]


def test_keys_that_end_stand_before_those_that_live_for_ever(fake: FakeOdoo) -> None:
    ends = f"{now() + timedelta(days=3):%Y-%m-%d %H:%M:%S}"
    made = [{"name": "sooner", "user_id": 2, "expiration_date": ends}, {"name": "ever", "user_id": 2}]
    connect(fake.settings()).call("res.users.apikeys", "create", vals_list=made)
    keys: list[Key] = find_keys(connect(fake.settings()))
    assert [key.name for key in keys] == ["sooner", "sandbox", "ever"]
