"""`milepost replay`, `parked` and `message`, on a real database."""

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from app.cli import milepost
from app.commands import store
from config.settings import get_settings
from shipments.clock import new_id, now
from shipments.store.database import make_engine
from shipments.store.intake import Intaken
from shipments.store.messages import MessageState, Verdict, save_messages
from shipments.store.seal import Seal

KEY = "k1:" + "MTExMTExMTExMTExMTExMTExMTExMTExMTExMTExMTE="


@pytest.fixture
def run(clean, database_url, monkeypatch):
    """Runs a command against the tests' database."""
    monkeypatch.setenv("MILEPOST_DATABASE_URL", database_url)
    monkeypatch.setenv("MILEPOST_SECRET_KEY", KEY)
    for cached in (get_settings, store.running_settings, store.open_store):
        cached.cache_clear()
    yield lambda *words: CliRunner().invoke(milepost, list(words), catch_exceptions=False)
    store.open_store().dispose()
    for cached in (get_settings, store.running_settings, store.open_store):
        cached.cache_clear()


@pytest.fixture
def kept(database_url, clean):
    """One message that was understood and one that is parked."""
    engine = make_engine(database_url)
    seal = Seal([("k1", b"1" * 32)])
    verdicts = []
    for state, reason in ((MessageState.DONE, None), (MessageState.PARKED, "the body is not JSON")):
        message_id = new_id()
        sealed = seal.close(message_id, b'{"who": "me"}', {})
        verdicts.append(Verdict(Intaken(message_id, "ups", "", "live", now(), "0" * 32, sealed), state, reason))
    with engine.begin() as connection:
        save_messages(connection, verdicts)
    yield engine, [v.message.id for v in verdicts]
    engine.dispose()


def states(engine):
    with engine.connect() as connection:
        return [row.state for row in connection.execute(text("select state from messages order by received_at"))]


@pytest.mark.requirement("M131")
def test_parked_messages_are_replayed_and_others_left(run, kept):
    engine, _ = kept
    assert "1 messages will be done again" in run("replay", "--parked").output
    assert states(engine) == ["done", "received"]


@pytest.mark.requirement("M131")
def test_messages_are_replayed_by_id_carrier_and_time(run, kept):
    engine, (done, _) = kept
    assert run("replay", "--carrier", "fedex").output.startswith("0 messages")
    assert run("replay", "--since", "2099-01-01").output.startswith("0 messages")
    assert run("replay", "--id", str(done)).output.startswith("1 messages")
    assert states(engine) == ["received", "parked"]
    assert run("replay").exit_code == 2


@pytest.mark.requirement("M130")
def test_what_is_parked_is_listed_with_its_reason(run, kept):
    _, (_, parked) = kept
    told = run("parked").output
    assert str(parked) in told
    assert "the body is not JSON" in told


@pytest.mark.requirement("M130", "X7")
def test_a_message_shows_what_became_of_it_and_its_body_only_when_asked(run, kept):
    _, (done, parked) = kept
    told = run("message", str(parked)).output
    assert "the body is not JSON" in told
    assert "who" not in told
    assert run("message", str(done), "--body").output == '{"who": "me"}'
