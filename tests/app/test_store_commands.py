"""`milepost replay`, `parked`, `message`, `hold` and `prune`, on a real database."""

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from app.cli import milepost
from app.commands import replay, store
from config.settings import get_settings
from shipments.clock import new_id, now
from shipments.errors import Permanent, Transient
from shipments.store import messages
from shipments.store.alone import Lock, alone
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


@pytest.mark.requirement("M131")
def test_a_long_replay_goes_in_parts_and_says_how_far_it_is(run, kept, monkeypatch):
    engine, _ = kept
    monkeypatch.setattr(messages, "LOOKED_AT", 1)
    monkeypatch.setattr(replay, "TELL_SECONDS", 0)
    told = run("replay", "--carrier", "ups").output.splitlines()
    assert [line.split(" so far")[0] for line in told[:2]] == ["1", "2"]
    assert f"up to those of {now():%Y-%m-%d}" in told[0]
    assert told[2].startswith("2 messages will be done again")
    assert states(engine) == ["received", "received"]


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


@pytest.mark.requirement("M101")
def test_a_hold_is_placed_with_its_reason_listed_and_taken_away(run, kept):
    assert run("hold", "add", "--number", "1z 999-aa1", "--reason", "claim 7", "--by", "legal").output.startswith(
        "hold 1 "
    )
    carrier = ("--carrier", "ups", "--since", "2026-01-01", "--until", "2026-02-01")
    run("hold", "add", *carrier, "--reason", "audit")
    first, second = run("hold", "list").output.splitlines()
    assert first.startswith("1  tracking number 1Z999AA1  ")
    assert first.endswith(" by legal: claim 7")
    assert second.startswith("2  carrier ups since 2026-01-01 00:00 until 2026-02-01 00:00  ")
    run("hold", "remove", "1")
    assert run("hold", "list").output.splitlines() == [second]
    with pytest.raises(Permanent, match="no hold 1"):
        run("hold", "remove", "1")


@pytest.mark.parametrize(
    "words",
    [
        ["--reason", "claim 7"],
        ["--number", "1Z", "--carrier", "ups", "--reason", "claim 7"],
        ["--number", "1Z", "--since", "2026-01-01", "--reason", "claim 7"],
        ["--number", "--", "--reason", "claim 7"],
        ["--carrier", "nobody", "--reason", "claim 7"],
        ["--number", "1Z"],
    ],
)
def test_a_hold_that_holds_nothing_or_says_no_reason_is_refused(run, kept, words):
    assert run("hold", "add", *words).exit_code == 2
    assert run("hold", "list").output == ""


@pytest.mark.requirement("M101")
def test_what_would_be_pruned_is_said_before_it_is_pruned(run, kept):
    engine, _ = kept
    with engine.begin() as connection:
        connection.execute(text("update messages set id = cast('00' || substr(id::text, 3) as uuid)"))
    assert run("prune", "--dry-run").output.splitlines()[-1] == "1 rows would be deleted"
    assert states(engine) == ["done", "parked"]
    assert run("prune").output.splitlines()[-1] == "1 rows are deleted"
    assert states(engine) == ["parked"]


def test_only_one_process_prunes_at_a_time(run, kept):
    engine, _ = kept
    with alone(engine, Lock.PRUNER), pytest.raises(Transient, match="being pruned right now"):
        run("prune")
