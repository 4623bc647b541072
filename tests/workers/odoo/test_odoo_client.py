"""Odoo's client: the protocol is chosen, failures are told apart, and the key stays where it is."""

import logging
import traceback
from typing import Any

import pytest

from config.settings import Settings, load_settings
from shipments.errors import OdooAway, OdooRefused, SetupFault
from tests.fakes.odoo import API_KEY, PASSWORD, FakeOdoo
from workers.odoo.client import Odoo, OdooConflict, OdooLockedOut, _refusal, connect


@pytest.mark.requirement("X21")
def test_an_odoo_is_spoken_to_in_the_protocol_it_and_the_credentials_allow(settings: Settings) -> None:
    odoo = connect(settings)
    newest = odoo.version >= (19, 0) and settings.odoo_api_keys
    assert odoo.protocol == ("JSON-2" if newest else "JSON-RPC")
    assert odoo.uid > 0


def test_a_created_record_is_read_again_by_the_same_arguments_in_both_protocols(odoo: Odoo) -> None:
    [partner] = odoo.call("res.partner", "create", vals_list=[{"name": "A", "city": "Lyon"}])
    odoo.call("res.partner", "write", [partner], vals={"city": "Nice"}, context={"lang": "en_US"})
    assert odoo.call("res.partner", "read", [partner], fields=["city"]) == [{"id": partner, "city": "Nice"}]


def test_a_wrong_key_locks_out_and_the_sentence_says_what_to_do(settings: Settings) -> None:
    wrong = load_settings(
        {
            "ODOO_URL": settings.odoo_url,
            "ODOO_DATABASE": settings.odoo_database,
            "ODOO_LOGIN": settings.odoo_login,
            "ODOO_API_KEY" if settings.odoo_api_keys else "ODOO_PASSWORD": "not-the-secret",
        }
    )
    with pytest.raises(OdooLockedOut, match=r"ODOO_API_KEY"):
        connect(wrong).call("res.users", "context_get")


@pytest.mark.parametrize(
    ("model", "method", "arguments"),
    [
        ("x_nobody_has_this", "search_read", {"domain": []}),
        ("res.partner", "search_read", {"domain": [], "fields": ["x_nobody_has_this"]}),
        ("res.partner", "search_read", {"domain": [("x_nobody_has_this", "=", 1)], "fields": ["name"]}),
        ("res.partner", "load", {"fields": [".id", "x_nobody_has_this"], "data": [["1", "a"]]}),
    ],
)
def test_a_model_or_field_that_is_not_there_locks_out_and_points_to_setup(
    odoo: Odoo, model: str, method: str, arguments: dict[str, Any]
) -> None:
    if method == "search_read" and not arguments["domain"]:
        odoo.call("res.partner", "create", vals_list=[{"name": "A"}])
    with pytest.raises(OdooLockedOut, match="milepost odoo setup"):
        odoo.call(model, method, **arguments)


def test_a_record_that_is_not_there_is_refused_as_one_record_only(odoo: Odoo) -> None:
    with pytest.raises(OdooRefused) as refusal:
        odoo.call("res.partner", "write", [99_999_999], vals={"city": "Nice"})
    assert not isinstance(refusal.value, OdooLockedOut)
    assert refusal.value.kind == "odoo.exceptions.MissingError"


def test_the_fields_of_a_model_are_asked_once_and_an_unknown_model_has_none(odoo: Odoo) -> None:
    assert "carrier_tracking_ref" in odoo.field_names("stock.picking")
    calls = odoo.calls
    assert odoo.field_names("stock.picking")
    assert odoo.calls == calls
    assert odoo.field_names("x_nobody_has_this") == frozenset()


def test_rights_are_asked_in_the_way_each_version_knows(odoo: Odoo) -> None:
    assert odoo.may("res.partner", "write")
    assert not odoo.may("x_nobody_has_this", "read")


def test_an_odoo_that_is_down_is_away(fake: FakeOdoo) -> None:
    settings = fake.settings()
    odoo = connect(settings)
    fake.away = True
    with pytest.raises(OdooAway, match="503"):
        odoo.call("res.users", "context_get")
    with pytest.raises(OdooAway, match="503"):
        connect(settings)


def test_a_port_nobody_listens_on_is_away() -> None:
    with FakeOdoo() as gone:
        settings = gone.settings()
    with pytest.raises(OdooAway, match="cannot be reached"):
        connect(settings)


def test_an_odoo_that_is_too_slow_is_away(fake: FakeOdoo) -> None:
    odoo = connect(fake.settings(ODOO_TIMEOUT_SECONDS="1"))
    fake.slow_seconds = 1.5
    with pytest.raises(OdooAway, match="in time"):
        odoo.call("res.users", "context_get")


def test_an_answer_cut_off_in_the_middle_is_away(fake: FakeOdoo) -> None:
    odoo = connect(fake.settings())
    fake.close_mid_answer = True
    with pytest.raises(OdooAway):
        odoo.call("res.users", "context_get")


def test_a_connection_closed_after_the_work_is_away_and_the_work_is_done(fake: FakeOdoo) -> None:
    odoo = connect(fake.settings())
    fake.answer_after_doing_then_close = True
    with pytest.raises(OdooAway):
        odoo.call("res.partner", "create", vals_list=[{"name": "Made anyway"}])
    assert [row["name"] for row in fake.records("res.partner")] == ["Made anyway"]


@pytest.mark.requirement("M85")
def test_an_overloaded_odoo_is_away_for_as_long_as_it_says(fake: FakeOdoo) -> None:
    odoo = connect(fake.settings())
    fake.fail_next(1, 429, Retry_After="17")
    with pytest.raises(OdooAway) as away:
        odoo.call("res.users", "context_get")
    assert away.value.retry_after_seconds == 17


@pytest.mark.parametrize("status", [500, 502, 504, 200])
def test_an_answer_that_is_not_json_is_away(fake: FakeOdoo, status: int) -> None:
    odoo = connect(fake.settings())
    fake.fail_next(1, status)
    with pytest.raises(OdooAway):
        odoo.call("res.users", "context_get")


@pytest.mark.parametrize("status", [403, 404])
def test_a_page_that_is_no_odoo_locks_out(fake: FakeOdoo, status: int) -> None:
    odoo = connect(fake.settings())
    fake.fail_next(1, status)
    with pytest.raises(OdooLockedOut, match="ODOO_URL"):
        odoo.call("res.users", "context_get")


def test_a_redirect_is_not_followed_and_the_sentence_names_the_new_address(fake: FakeOdoo) -> None:
    odoo = connect(fake.settings())
    fake.fail_next(1, 302, Location="https://erp.example.com/json/2")
    with pytest.raises(OdooLockedOut, match=r"https://erp\.example\.com"):
        odoo.call("res.users", "context_get")


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("psycopg2.errors.SerializationFailure", "could not serialize access due to concurrent update"),
        ("psycopg2.extensions.TransactionRollbackError", "could not serialize access due to concurrent update"),
        ("odoo.exceptions.LockError", "Cannot lock"),
    ],
)
def test_two_writers_meeting_is_a_conflict_and_passes(kind: str, message: str) -> None:
    assert isinstance(_refusal(kind, message), OdooConflict)


def test_a_database_that_cannot_answer_is_away_and_not_a_refusal() -> None:
    assert type(_refusal("psycopg2.OperationalError", "server closed the connection")) is OdooAway


def test_one_connection_serves_many_calls(fake: FakeOdoo) -> None:
    odoo = connect(fake.settings())
    for _ in range(10):
        odoo.call("res.users", "context_get")
    assert fake.connections == 1


def test_each_call_has_an_id_of_its_own_and_is_counted_and_told(fake: FakeOdoo) -> None:
    odoo, heard = connect(fake.settings()), []
    odoo.on_call = lambda model, method, seconds, outcome: heard.append((model, method, outcome))
    odoo.call("res.users", "context_get")
    with pytest.raises(OdooRefused):
        odoo.call("nothing", "read")
    fake.away = True
    with pytest.raises(OdooAway):
        odoo.call("res.users", "context_get")
    assert heard == [
        ("res.users", "context_get", "done"),
        ("nothing", "read", "refused"),
        ("res.users", "context_get", "away"),
    ]
    assert odoo.calls == 3
    assert len({headers["X-Request-Id"] for headers in fake.headers}) == 3


def test_the_key_is_in_no_repr_log_or_error(
    fake: FakeOdoo, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    said = []
    for changed in ({}, {"ODOO_API_KEY": ""}):
        fake.away = False
        odoo = connect(fake.settings(**changed))
        said += [repr(odoo), repr(vars(odoo))]
        fake.away = True
        with pytest.raises(OdooAway) as away:
            odoo.call("res.users", "context_get")
        said += traceback.format_exception(away.value)
    text = "".join(said) + caplog.text
    assert API_KEY not in text
    assert f"'{PASSWORD}'" not in text.replace("login='admin'", "").replace("'login': 'admin'", "")


def test_everything_that_is_not_set_is_said_at_once() -> None:
    with pytest.raises(SetupFault) as fault:
        connect(load_settings({}))
    assert [sentence.split()[0] for sentence in fault.value.faults] == ["ODOO_URL", "ODOO_DATABASE", "Neither"]
