"""A message that kills whoever works on it is parked in the end, and its neighbors get through before that."""

import os
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from carriers.base import Reading
from shipments.clock import new_id, now
from shipments.store import intake as module
from shipments.store.intake import STREAM, Intake, Intaken
from shipments.store.messages import keep_received
from shipments.store.suspects import PARK_AFTER, Suspects
from tests.workers.conftest import forget_what_is_open
from workers import understand
from workers.tasks import ingest as ingest_task
from workers.tasks import sweep as sweep_task

LANE = "live"
KILLED = 9


def message(carrier: str = "innocent") -> Intaken:
    return Intaken(new_id(), carrier, "", LANE, now(), "0" * 32, b"-")


def read(told: Intaken, _: object) -> Reading:
    if told.carrier == "poison":
        os._exit(KILLED)
    return Reading()


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch, database_url: str, stores: None) -> Iterator[Callable[..., int]]:
    """Runs a task in a process of its own, as a worker's child does; how that ended: 0, 1 for an error, KILLED."""
    monkeypatch.setattr(module, "TAKE_OVER_AFTER", timedelta(0))
    monkeypatch.setattr(understand, "_read", read)
    for task in (ingest_task, sweep_task):
        monkeypatch.setattr(task, "ring", lambda *_: True)

    def run(task: Callable[..., object], *args: str, url: str = database_url) -> int:
        monkeypatch.setenv("MILEPOST_DATABASE_URL", url)
        forget_what_is_open()
        child = os.fork()
        if child:
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        status = 1
        try:
            task(*args)
            status = 0
        finally:
            os._exit(status)

    yield run
    forget_what_is_open()


@pytest.fixture
def states(engine: Engine, rows: Callable[..., list]) -> Callable[[], dict]:
    """How many messages of each carrier are in each state."""
    query = "select carrier, state, count(*) from messages group by 1, 2"
    return lambda: {(carrier, state): count for carrier, state, count in rows(query)}


@pytest.mark.requirement("M44", "M118", "M130")
def test_an_entry_that_kills_its_worker_is_parked_and_its_neighbors_get_through(client, work, states, rows):
    for carrier in ("innocent", "innocent", "poison", "innocent"):
        client.xadd(STREAM.format(lane=LANE), message(carrier).fields())
    assert [work(ingest_task.ingest, LANE) for _ in range(4)] == [KILLED] * 4
    assert states() == {("innocent", "done"): 3}, "from the third take on each is alone, who killed less comes first"
    assert [work(ingest_task.ingest, LANE) for _ in range(2)] == [KILLED, 0]
    assert states() == {("innocent", "done"): 3, ("poison", "parked"): 1}
    ((reason,),) = rows("select reason from messages where state = 'parked'")
    assert "died 5 times" in reason
    assert Intake(client).length(LANE) == 0
    assert client.keys("milepost:suspects:*") == []


@pytest.mark.requirement("M44", "M118", "M130")
def test_a_kept_message_that_kills_the_sweep_is_parked_and_its_neighbors_get_through(client, work, states, engine):
    for carrier in ("innocent", "poison", "innocent"):
        keep_received(engine, message(carrier))
    ends = [work(sweep_task.sweep) for _ in range(PARK_AFTER + 1)]
    assert ends == [KILLED] * PARK_AFTER + [0]
    assert states() == {("innocent", "done"): 2, ("poison", "parked"): 1}


@pytest.mark.requirement("M118", "M130")
@pytest.mark.parametrize("deaths", [0, PARK_AFTER - 1])
def test_a_database_that_is_away_makes_no_entry_suspect(client, work, states, deaths):
    entry = client.xadd(STREAM.format(lane=LANE), message().fields())
    if deaths:
        client.hset(f"milepost:suspects:{LANE}", entry, deaths)
    away = "postgresql://nobody@127.0.0.1:1/none"
    assert [work(ingest_task.ingest, LANE, url=away) for _ in range(PARK_AFTER + 1)] == [1] * (PARK_AFTER + 1)
    assert Suspects(client).deaths(LANE, [entry])[entry] == max(deaths, 1), "whoever took it first may have died"
    assert work(ingest_task.ingest, LANE) == 0
    assert states() == {("innocent", "done"): 1}
    assert client.keys("milepost:suspects:*") == []


@pytest.mark.requirement("M118", "M130")
def test_a_process_that_dies_while_the_database_hangs_is_not_the_fault_of_the_message(client, work, monkeypatch):
    monkeypatch.setattr(ingest_task, "ingest_batch", lambda *_: os._exit(KILLED))  # as the time limit does
    entry = client.xadd(STREAM.format(lane=LANE), message().fields())
    work(ingest_task.ingest, LANE)
    client.hset(f"milepost:suspects:{LANE}", entry, PARK_AFTER - 1)
    work(ingest_task.ingest, LANE, url="postgresql://nobody@127.0.0.1:1/none")
    assert Suspects(client).deaths(LANE, [entry]) == {entry: PARK_AFTER - 1}


def test_of_several_suspects_the_one_with_the_fewest_deaths_comes_first_and_alone(client):
    client.hset("milepost:suspects:live", mapping={"1-0": 4, "2-0": 3, "3-0": 1})
    waiting = {b"1-0": "a", b"2-0": "b", b"3-0": "c", b"4-0": "d"}
    suspects = Suspects(client)
    assert suspects.choose("live", waiting) == {b"3-0": "c", b"4-0": "d"}
    assert suspects.choose("live", {b"1-0": "a", b"2-0": "b"}) == {b"2-0": "b"}
    assert suspects.choose("live", {}) == {}
