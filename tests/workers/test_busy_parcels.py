"""Several processes at one lane: what one is at work on is put off by the others, and is stored in the end."""

import socket
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import Connection, Engine, text

from carriers.base import Reading
from shipments.event import Event
from shipments.store.intake import GROUP, STREAM, Intake
from shipments.store.parcels import lock_parcels, parcel_key
from tests.eventually import eventually
from tests.shipments.telling import told
from tests.workers.conftest import POLICY, message, understood
from workers import understand
from workers.ingest import ingest_batch, ingest_free
from workers.tasks import ingest as task

A1, A2, B = (told("in_transit", hour, tracking_number=number) for hour, number in ((1, "A"), (2, "A"), (1, "B")))
LANE = "live"


@pytest.fixture
def at_work(engine: Engine) -> Callable[[Event], object]:
    """Within it another process is at work on the event's parcel."""

    @contextmanager
    def at_work(event: Event) -> Iterator[Connection]:
        with engine.begin() as other:
            lock_parcels(other, [parcel_key(event)], wait=True)
            yield other

    return at_work


@pytest.mark.requirement("M45", "M115", "M118")
def test_messages_of_a_parcel_that_somebody_is_at_work_on_are_left_and_the_others_stored(engine, at_work, rows):
    batch = [understood(A1), understood(B), understood(A2, B)]
    with at_work(A1):
        tally, busy = ingest_free(engine, batch, POLICY)
    assert busy == [batch[0], batch[2]], "a message is stored whole or not at all"
    assert (tally.read, tally.events) == (1, 1)
    assert rows("select p.number from events e join parcels p on p.id = e.parcel_id") == [("B",)]
    assert rows("select id from messages") == [(batch[1].verdict.message.id,)]
    assert ingest_batch(engine, busy, POLICY).events == 2
    assert rows("select count(*) from messages") == [(3,)]


def test_nobody_waits_for_a_parcel_that_another_has_just_made(engine, at_work):
    """It is committed when it is made: two who hear of it first at the same time would else wait for each other."""
    with at_work(A1), engine.begin() as connection:
        connection.execute(text("set local lock_timeout = '5s'"))
        locked = lock_parcels(connection, [parcel_key(A1), parcel_key(B)], wait=False)
    assert locked.busy == {parcel_key(A1)}
    assert locked.ids.keys() == {parcel_key(B)}


@pytest.fixture
def drain(monkeypatch: pytest.MonkeyPatch, stores: None) -> Iterator[Callable[[], Future]]:
    """Runs the task beside the test. Message bodies are the names of events of this module."""
    named = {b"A1": A1, b"A2": A2, b"B": B}
    monkeypatch.setattr(understand, "_read", lambda intaken, _: Reading((named[intaken.sealed],)))
    monkeypatch.setattr(task, "ring", lambda *_: True)
    with ThreadPoolExecutor(1) as pool:
        yield lambda: pool.submit(task.ingest, LANE)


@pytest.mark.requirement("M45", "M115", "M118")
def test_what_is_put_off_stays_in_the_stream_until_it_is_stored(client, drain, at_work, rows):
    for body in (b"A1", b"B", b"A2"):
        client.xadd(STREAM.format(lane=LANE), message(sealed=body).fields())
    with at_work(A1):
        done = drain()
        assert eventually(lambda: Intake(client).length(LANE) == 2)
        assert rows("select count(*) from messages") == [(1,)]
        (consumer,) = client.xinfo_consumers(STREAM.format(lane=LANE), GROUP)
        assert (consumer["pending"], consumer["name"].partition(b":")[0].decode()) == (2, socket.gethostname())
    assert done.result(timeout=30) | {"effects": 0, "unmatched": 0} == {
        "read": 3, "events": 3, "repeats": 0, "parked": 0, "unmatched": 0, "effects": 0,
    }  # fmt: skip
    assert Intake(client).length(LANE) == 0
    assert rows("select count(*) from events") == [(3,)]
