"""The intake stream: nothing leaves it before it is finished, whoever dies meanwhile."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis

from shipments.clock import new_id, now
from shipments.store import intake as module
from shipments.store.intake import Intake, Intaken, Kept, connect


@pytest.fixture
def client(clean: None, redis_url: str) -> Iterator[redis.Redis]:
    with connect(redis_url) as connected:
        yield connected


@pytest.fixture
def intake(client: redis.Redis) -> Intake:
    return Intake(client)


def message(lane: str = "live", sealed: bytes = b"\x00sealed\xff") -> Intaken:
    return Intaken(new_id(), "ups", "eu", lane, now(), "a" * 32, sealed)


def taken(intake: Intake, consumer: str, count: int = 10) -> list[tuple[bytes, Intaken | None]]:
    return [*intake.recover("live", consumer, count), *intake.take("live", consumer, count)]


def test_a_message_comes_out_as_it_went_in(intake: Intake) -> None:
    sent = message()
    intake.add(sent)
    assert [m for _, m in taken(intake, "one")] == [sent]


def test_lanes_do_not_mix(intake: Intake) -> None:
    intake.add(message("bulk"))
    assert taken(intake, "one") == []
    assert (intake.length("live"), intake.length("bulk")) == (0, 1)


def test_two_workers_never_get_the_same_message(intake: Intake) -> None:
    for _ in range(6):
        intake.add(message())
    first, second = taken(intake, "one", 3), taken(intake, "two", 10)
    assert (len(first), len(second)) == (3, 3)
    assert {i for i, _ in first}.isdisjoint(i for i, _ in second)


@pytest.mark.requirement("M116")
def test_a_batch_is_small_where_messages_are_large(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "READ_AT_ONCE", 2)
    monkeypatch.setattr(module, "BATCH_BYTES", 3 * len(message().sealed))
    for _ in range(7):
        intake.add(message())
    assert intake.recover("live", "one", 10) == []
    assert [len(intake.take("live", "one", 10)) for _ in range(4)] == [3, 3, 1, 0]
    assert len(intake.recover("live", "one", 10)) == 2


@pytest.mark.requirement("M116")
def test_after_large_messages_no_more_are_read_at_once_than_fit_and_soon_as_many_as_before(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, small = message(sealed=b"x" * 800), message(sealed=b"x" * 10)
    monkeypatch.setattr(module, "BATCH_BYTES", 3_000)
    assert intake.recover("live", "one", 10) == []
    for sent in (large, small):
        for _ in range(30):
            intake.add(sent)
    sizes = []
    while taken_now := intake.take("live", "one", 20):
        sizes.append(len(taken_now))
    assert sizes == [20, 4, 4, 20, 12]


def test_a_message_stays_until_it_is_finished(intake: Intake) -> None:
    intake.add(message())
    ((entry_id, _),) = taken(intake, "one")
    assert intake.length("live") == 1
    intake.finish("live", [entry_id])
    assert intake.length("live") == 0
    assert taken(intake, "one") == []


@pytest.mark.requirement("M118")
def test_what_a_dead_worker_held_is_taken_over(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = message()
    intake.add(sent)
    taken(intake, "dead")
    assert taken(intake, "alive") == []
    monkeypatch.setattr(module, "TAKE_OVER_AFTER", timedelta(0))
    assert [m for _, m in taken(intake, "alive")] == [sent]


def test_the_first_message_and_every_two_hundredth_wake_a_worker(intake: Intake) -> None:
    kept = [intake.add(message()) for _ in range(400)]
    assert [number for number, k in enumerate(kept, 1) if k.wake] == [1, 200, 400]
    assert kept[-1] == Kept(wake=True, length=400)
    intake.begin_drain("live")
    assert intake.add(message()).wake


def test_an_entry_of_somebody_else_does_not_block_the_lane(intake: Intake, client: redis.Redis) -> None:
    client.xadd("milepost:intake:live", {"hello": "there"})
    ((entry_id, found),) = taken(intake, "one")
    assert found is None
    intake.finish("live", [entry_id])
    assert intake.length("live") == 0


def test_the_embedded_server_keeps_its_promises(intake: Intake) -> None:
    assert intake.durability_faults() == []


@pytest.mark.parametrize(
    ("name", "value", "usual", "said"),
    [
        ("appendonly", "no", "yes", "append-only"),
        ("appendfsync", "everysec", "always", "fsync"),
        ("maxmemory-policy", "allkeys-lru", "noeviction", "evict"),
    ],
)
def test_a_server_that_could_lose_messages_is_told_of(
    intake: Intake, client: redis.Redis, name: str, value: str, usual: str, said: str
) -> None:
    client.config_set(name, value)
    try:
        (fault,) = intake.durability_faults()
    finally:
        client.config_set(name, usual)
    assert said in fault


def test_consumers_that_are_gone_are_forgotten_but_not_those_that_hold_something(intake: Intake) -> None:
    intake.add(message())
    ((entry_id, _),) = taken(intake, "holds", 1)
    taken(intake, "idle")
    assert intake.forget_consumers("live", timedelta(0) - timedelta(seconds=1)) == 1
    intake.finish("live", [entry_id])
    assert intake.forget_consumers("live", timedelta(0) - timedelta(seconds=1)) == 1
