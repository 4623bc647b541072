"""Who carries a number: what was guessed, what a person says over it, and what is asked of the store for it."""

from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, event

from app.cli import milepost
from app.commands import guesses
from shipments.event import Reference
from tests.shipments.telling import told
from tests.workers.conftest import POLICY, understood
from workers.ingest import ingest_batch
from workers.understand import Understood

pytestmark = pytest.mark.requirement("X3")
GUESS = (Reference("carrier_guess", "ups"), Reference("carrier_candidate", "ups 0.95: 1Z with its check digit"))


@pytest.fixture
def run(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs `milepost carriers`; the tests' carrier is a source that guesses."""
    monkeypatch.setattr(guesses, "open_store", lambda: engine)
    monkeypatch.setattr(guesses, "carrier_names", lambda: ("testing",))
    return lambda *words: CliRunner().invoke(milepost, ["carriers", *words])


@pytest.fixture
def guessed(engine: Engine) -> Understood:
    """A message that told of a number whose carrier was guessed, as it was read."""
    read = understood(told("in_transit", 1, tracking_number="1Z 1", references=GUESS))
    ingest_batch(engine, [read], POLICY)
    return read


@pytest.fixture
def statements(engine: Engine) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_: Any, __: Any, statement: str, *___: Any) -> None:
        seen.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def carried_by(rows: Any) -> list[str]:
    query = (
        "select r ->> 'value' from events, jsonb_array_elements(event -> 'references') r where r ->> 'type' = 'carrier'"
    )
    return [value for (value,) in rows(query)]


def test_a_persons_word_goes_over_the_guess_is_kept_with_its_reason_and_mends_history(
    run: Any, guessed: Understood, engine: Engine, rows: Any
) -> None:
    assert carried_by(rows) == []
    said = run("choose", "1Z-1", "landmark", "--reason", "read on the label", "--by", "Kari")
    assert (said.exit_code, "1 messages" in said.output) == (0, True)
    assert rows("select state from messages") == [("received",)]
    ingest_batch(engine, [guessed], POLICY)
    assert carried_by(rows) == ["landmark"]
    assert rows("select count(*) from events") == [(1,)]
    listed = run("guesses").output
    assert "guess: ups  (ups 0.95: 1Z with its check digit)" in listed
    assert "Kari: landmark (read on the label)" in listed


def test_a_choice_is_taken_back_and_both_words_are_kept(
    run: Any, guessed: Understood, engine: Engine, rows: Any
) -> None:
    run("choose", "1Z1", "landmark", "--reason", "read on the label", "--by", "Kari")
    assert run("choose", "1Z1", "--take-back", "--reason", "it was another label", "--by", "Ola").exit_code == 0
    ingest_batch(engine, [guessed], POLICY)
    assert carried_by(rows) == []
    assert rows("select carrier, chosen_by from carrier_choices order by id") == [("landmark", "Kari"), (None, "Ola")]


def test_a_choice_holds_for_what_is_told_later(run: Any, engine: Engine, rows: Any) -> None:
    run("choose", "1Z1", "landmark", "--reason", "agreed with the warehouse")
    ingest_batch(engine, [understood(told("in_transit", 1, tracking_number="1Z1", references=GUESS))], POLICY)
    assert carried_by(rows) == ["landmark"]


def test_a_choice_does_not_touch_what_was_not_guessed(run: Any, engine: Engine, rows: Any) -> None:
    run("choose", "1Z1", "landmark", "--reason", "read on the label")
    known = (Reference("carrier", "ups"),)
    ingest_batch(engine, [understood(told("in_transit", 1, tracking_number="1Z1", references=known))], POLICY)
    assert carried_by(rows) == ["ups"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("choose", "1Z1", "--reason", "x"), "name the carrier, or --take-back"),
        (("choose", "1Z1", "ups", "--take-back", "--reason", "x"), "name the carrier, or --take-back"),
        (("choose", "--", "-", "ups"), "Missing option '--reason'"),
        (("choose", "--reason", "x", "--", "-", "ups"), "no letter and no digit"),
        (("choose", "1Z1", "ups", "--reason", " "), "--reason is empty"),
    ],
)
def test_a_choice_needs_a_number_a_carrier_and_a_reason(run: Any, rows: Any, words: tuple[str, ...], said: str) -> None:
    result = run(*words)
    assert (result.exit_code, said in result.output) == (2, True)
    assert rows("select count(*) from carrier_choices") == [(0,)]


def test_the_candidates_of_a_number_are_printed_with_why() -> None:
    def detect(number: str) -> str:
        return CliRunner().invoke(milepost, ["carriers", "detect", number]).output

    assert detect("1Z999AA10123456784").splitlines() == [
        "ups              0.95  1Z with its check digit",
        "guess: ups",
    ]
    assert detect("12345678901234").endswith("no guess: none is likely enough, or several are alike\n")
    assert detect("?") == "no guess: no rule fits the number\n"


@pytest.mark.requirement("M149")
def test_a_message_without_a_guess_and_without_another_number_asks_nothing_more(
    engine: Engine, register: Any, statements: list[str]
) -> None:
    def sent(number: str, *references: Reference) -> int:
        statements.clear()
        news = told("in_transit", 1, tracking_number=number, references=references)
        ingest_batch(engine, [understood(news)], POLICY)
        return len(statements)

    register(1, "A1", "A2", "A3", "A4")
    plain = sent("A1")
    assert sent("A2", Reference("order", "S00012")) == plain
    assert sent("A3", *GUESS) == plain + 1
    assert sent("A4", Reference("new_tracking_number", "B1234")) == plain + 2
