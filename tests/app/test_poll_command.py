"""`milepost poll`, on a real database. It writes down what is wanted; the workers ask."""

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from app.cli import milepost
from app.commands import store
from config.settings import get_settings
from shipments.errors import SetupFault
from shipments.store.database import make_engine

CREDENTIALS = {"CARRIER_UPS_CLIENT_ID": "id-of-ours", "CARRIER_UPS_CLIENT_SECRET": "secret-of-ours"}


@pytest.fixture
def engine(clean, database_url):
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def run(engine, database_url, monkeypatch):
    """Runs the command against the tests' database, with credentials of one carrier."""
    for name, value in {"MILEPOST_DATABASE_URL": database_url, **CREDENTIALS}.items():
        monkeypatch.setenv(name, value)
    for cached in (get_settings, store.running_settings, store.open_store):
        cached.cache_clear()
    yield lambda *words: CliRunner().invoke(milepost, ["poll", *words], catch_exceptions=False)
    store.open_store().dispose()
    for cached in (get_settings, store.running_settings, store.open_store):
        cached.cache_clear()


def polls(engine: Engine) -> list[tuple[object, ...]]:
    query = "select carrier, number, tracking_number, wanted, due_at <= now(), reason from polls order by number"
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(query))]


def stop(engine: Engine) -> None:
    with engine.begin() as connection:
        stopped = "set due_at = null, wanted = false, stopped_at = now(), reason = 'over: delivered', asked_at = now()"
        connection.execute(text(f"update polls {stopped}, outcome = 'same', calls = 3"))


def test_a_number_is_wanted_now_also_after_asking_has_ended(run, engine):
    assert "asked about 2 numbers" in run("ups", "--number", "1z 123-4", "--number", "T2").output
    assert polls(engine) == [("ups", "1Z1234", "1z 123-4", True, True, None), ("ups", "T2", "T2", True, True, None)]
    stop(engine)
    assert "asked 3 times" in run("ups", "--number", "T2", "--show").output
    assert "over: delivered" in run("ups", "--number", "T2", "--show").output
    run("ups", "--number", "T2")
    assert polls(engine)[1] == ("ups", "T2", "T2", True, True, None)
    assert "wanted now" in run("ups", "--number", "T2", "--show").output


def test_all_of_a_carrier_is_wanted_but_what_has_ended(run, engine):
    run("ups", "--number", "T1")
    stop(engine)
    run("ups", "--number", "T2")
    assert "1 number," in run("ups").output
    assert [row[3] for row in polls(engine)] == [False, True]


def test_it_says_who_is_asked_and_what_is_missing_and_no_secret(run):
    run("ups", "--number", "T1")
    output = run().output
    lines = {line.split()[0]: line for line in output.splitlines()}
    assert lines["ups"].split()[1:] == ["yes", "1", "1", "0", "0"]
    assert "no: set CARRIER_FEDEX_CLIENT_ID, CARRIER_FEDEX_CLIENT_SECRET" in lines["fedex"]
    assert "no: set CARRIER_DHL_UNIFIED_API_KEY" in lines["dhl_unified"]
    assert not [secret for secret in CREDENTIALS.values() if secret in output]


def test_who_cannot_be_asked_is_told_apart(run):
    with pytest.raises(SetupFault, match="set CARRIER_FEDEX_CLIENT_ID"):
        run("fedex", "--number", "T1")
    with pytest.raises(SetupFault, match="'nobody' is no carrier that can be asked"):
        run("nobody", "--number", "T1")
    assert run("--number", "T1").exit_code == 2
