"""`milepost link`: a person says which delivery a number belongs to, and can take it back."""

from collections.abc import Iterator
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from app.cli import milepost
from app.commands import link, parked
from config.settings import load_settings
from shipments.clock import now
from shipments.delivery import Delivery
from shipments.errors import Permanent
from shipments.event import Reference
from shipments.store.database import make_engine
from shipments.store.settle import settle
from tests.shipments.telling import START, told
from tests.workers.conftest import POLICY, understood
from workers.correlate import Correlated, store_deliveries
from workers.ingest import ingest_batch

pytestmark = pytest.mark.requirement("M46", "M47", "M50")


@pytest.fixture
def engine(database_url: str, clean: None) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def register(engine: Engine) -> Any:
    """Tells the store of a delivery in Odoo: id and numbers."""

    def register(id_: int, *numbers: str) -> None:
        delivery = Delivery(id_, f"WH/OUT/{id_:05d}", numbers, None, None, 1, START, now(), None)
        store_deliveries(engine, [delivery], POLICY, Correlated())

    return register


@pytest.fixture
def rows(engine: Engine) -> Any:
    """The rows of a query, as tuples."""

    def rows(query: str) -> list[Any]:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    return rows


@pytest.fixture
def run(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Any:
    for module in (link, parked):
        monkeypatch.setattr(module, "open_store", lambda: engine)
    monkeypatch.setattr(link, "running_settings", lambda: load_settings({}))

    def run(*words: str) -> str:
        command = {"link": link.link, "parked": parked.parked}[words[0]]
        return CliRunner().invoke(command, list(words[1:]), catch_exceptions=False).output

    return run


@pytest.fixture
def waiting(engine: Engine, register: Any) -> None:
    """Two deliveries without a number, and a parcel that nobody knows the delivery of."""
    register(1)
    register(2)
    ingest_batch(engine, [understood(told("delivered", 5, tracking_number="A1000"))], POLICY)


def shown(rows: Any) -> list[tuple[int, str | None]]:
    query = "select subject, payload ->> 'milestone' from effects where kind = 'delivery' order by subject"
    return list(rows(query))


@pytest.mark.usefixtures("waiting")
def test_a_person_links_a_parked_parcel_changes_their_mind_and_takes_it_back(
    run: Any, rows: Any, engine: Engine
) -> None:
    assert "A1000" in run("parked")
    assert "kept; " in run("link", "a-1000", "WH/OUT/00001", "--reason", "read on the label", "--by", "Kari")
    assert shown(rows) == [(1, "delivered")]
    assert "A1000" not in run("parked")
    run("link", "A1000", "2", "--reason", "the other one", "--by", "Ola")
    assert shown(rows) == [(1, None), (2, "delivered")], "what the first showed is taken back"
    run("link", "A1000", "--take-back", "--reason", "neither", "--by", "Ola")
    assert shown(rows) == [(1, None), (2, None)]
    assert "A1000" in run("parked")
    history = run("link", "A1000", "--history").splitlines()
    assert [line.split(" ", 2)[2] for line in history] == [
        "Ola: taken back (neither)",
        "Ola: delivery 2 (the other one)",
        "Kari: delivery 1 (read on the label)",
    ]
    with engine.begin() as connection:
        ids = [row.id for row in connection.execute(text("select id from parcels"))]
        assert settle(connection, ids, [1, 2], POLICY).effects == 0


@pytest.mark.usefixtures("waiting")
def test_what_a_person_says_stays_whatever_references_say_and_yields_to_odoo(
    run: Any,
    rows: Any,
    engine: Engine,
    register: Any,
) -> None:
    run("link", "A1000", "1", "--reason", "the label")
    register(2, "B2000")
    partner = Reference("partner_number", "A1000")
    ingest_batch(engine, [understood(told("in_transit", 6, tracking_number="B2000", references=(partner,)))], POLICY)
    assert rows("select shipment_id from numbers where number = 'A1000'") == [(1,)]
    register(2, "A1000")
    assert rows("select shipment_id, because from numbers where number = 'A1000'") == [(2, None)]
    assert shown(rows) == [(1, None), (2, "delivered")]


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["A1000", "WH/OUT/00009"], "has not read a delivery WH/OUT/00009"),
        (["C3000", "1"], "no parcel with the number C3000"),
        (["A1000", "--take-back"], "nothing to take back"),
    ],
)
def test_what_cannot_be_linked_is_said(run: Any, words: list[str], why: str) -> None:
    with pytest.raises(Permanent, match=why):
        run("link", *words, "--reason", "x")


@pytest.mark.usefixtures("waiting")
def test_a_number_that_odoo_carries_is_changed_there(run: Any, register: Any) -> None:
    register(2, "A1000")
    with pytest.raises(Permanent, match="change or remove it there"):
        run("link", "A1000", "1", "--reason", "x")


def test_the_command_is_known_and_wants_a_reason() -> None:
    answer = CliRunner().invoke(milepost, ["link", "A1000", "1"])
    assert "--reason is empty" in answer.output
