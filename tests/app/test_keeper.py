"""A 202 is a promise: where a message is kept when a store is away, slow, or full."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import pytest
import redis
from fakeredis import FakeRedis
from sqlalchemy import Engine, text

from app.factory import create_app, make_keeper
from app.loop import call
from app.receiver.keeper import PAUSE_SECONDS, Keeper
from app.receiver.together import Together
from app.receiver.waker import Waker
from carriers.base import Carrier
from config.settings import load_settings
from shipments.clock import new_id
from shipments.errors import NotStored
from shipments.store.database import make_engine
from shipments.store.intake import Intake, Intaken, Kept
from shipments.store.seal import Seal
from tests.app.conftest import BODY, KEY, make_carrier

NOWHERE_REDIS = "redis://127.0.0.1:1"
NOWHERE_DATABASE = "postgresql://nobody@127.0.0.1:1/none"


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def message(lane: str = "live") -> Intaken:
    return Intaken(new_id(), "acme", "", lane, datetime.now(UTC), "a" * 32, b"sealed")


@pytest.fixture
def engine(clean: None, database_url: str) -> Iterator[Engine]:
    made = make_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def carrier(tmp_path) -> Carrier:
    return make_carrier(tmp_path)


def stored(engine: Engine) -> list:
    with engine.connect() as connection:
        return list(connection.execute(text("select id, state, sealed from messages")))


def post(carrier: Carrier, redis_url: str, database_url: str):
    settings = load_settings(
        {
            "MILEPOST_SECRET_KEY": KEY,
            "MILEPOST_REDIS_URL": redis_url,
            "MILEPOST_DATABASE_URL": database_url,
            "CARRIER_ACME_SECRETS": "a-secret",
        }
    )
    client = create_app(settings, carriers=[carrier]).test_client()
    return client.post("/in/acme", data=BODY, headers=carrier.proof.prove(BODY, "a-secret", datetime.now(UTC)))


@pytest.mark.requirement("M31", "M42")
def test_the_real_stream_holds_what_was_accepted(clean: None, redis_url: str, carrier: Carrier) -> None:
    response = post(carrier, redis_url, NOWHERE_DATABASE)
    assert response.status_code == 202
    with redis.Redis.from_url(redis_url) as client:
        ((_, entry),) = client.xrange("milepost:intake:live")
    seal = Seal(load_settings({"MILEPOST_SECRET_KEY": KEY}).secret_key)
    assert seal.open(UUID(response.json["id"]), entry[b"sealed"])[0] == BODY


def test_without_redis_the_message_is_in_the_database(engine: Engine, database_url: str, carrier: Carrier) -> None:
    response = post(carrier, NOWHERE_REDIS, database_url)
    assert response.status_code == 202
    ((row_id, state, sealed),) = stored(engine)
    assert (str(row_id), state) == (response.json["id"], "received")
    seal = Seal(load_settings({"MILEPOST_SECRET_KEY": KEY}).secret_key)
    assert seal.open(row_id, bytes(sealed))[0] == BODY


def test_without_either_store_the_carrier_is_told_to_try_again(carrier: Carrier) -> None:
    response = post(carrier, NOWHERE_REDIS, NOWHERE_DATABASE)
    assert (response.status_code, response.json["reason"]) == (503, "not-stored")
    assert response.headers["Retry-After"] == "30"


def test_without_a_key_nothing_is_accepted(carrier: Carrier) -> None:
    settings = load_settings({"CARRIER_ACME_SECRETS": "a-secret"})
    keeper = Keeper(Intake(FakeRedis()), None, max_length=10, wake=lambda lane: None)
    client = create_app(settings, keeper=keeper, carriers=[carrier]).test_client()
    proof = carrier.proof.prove(BODY, "a-secret", datetime.now(UTC))
    assert client.post("/in/acme", data=BODY, headers=proof).status_code == 503


class Flaky(Intake):
    """Fails while it is told to, and counts how often it was asked."""

    def __init__(self) -> None:
        super().__init__(FakeRedis())
        self.failing = True
        self.asked = 0

    def add(self, message: Intaken):
        self.asked += 1
        if self.failing:
            raise redis.TimeoutError
        return super().add(message)


def test_a_redis_that_failed_is_left_alone_for_a_moment_and_then_tried_again(engine: Engine) -> None:
    clock, intake = Clock(), Flaky()
    keeper = Keeper(intake, engine, max_length=10, wake=lambda lane: None, now=clock)
    for _ in range(3):
        keeper.keep(message())
    assert intake.asked == 1
    assert len(stored(engine)) == 3
    clock.seconds += PAUSE_SECONDS
    intake.failing = False
    keeper.keep(message())
    assert intake.asked == 2
    assert len(stored(engine)) == 3


def test_a_full_stream_spills_into_the_database_until_it_is_drained(engine: Engine) -> None:
    clock, intake, spilled = Clock(), Intake(FakeRedis()), []
    keeper = Keeper(
        intake, engine, max_length=2, wake=lambda lane: None, fell_back=lambda: spilled.append(1), now=clock
    )
    for _ in range(5):
        keeper.keep(message())
    assert (intake.length("live"), len(stored(engine)), len(spilled)) == (3, 2, 2)
    intake._client.delete("milepost:intake:live")
    clock.seconds += PAUSE_SECONDS
    keeper.keep(message())
    assert intake.length("live") == 1


def test_a_database_that_failed_is_left_alone_too() -> None:
    keeper = Keeper(None, make_engine(NOWHERE_DATABASE), max_length=1, wake=lambda lane: None)
    for _ in range(2):
        with pytest.raises(NotStored):
            keeper.keep(message())


def in_the_loop(*requests: Callable[[], object]) -> list[object]:
    """Runs them as the doorstep runs webhooks, all at once; what each returned, or the exception it raised."""

    async def run() -> list[object]:
        return await asyncio.gather(*map(call, requests), return_exceptions=True)

    return asyncio.run(run())


@pytest.mark.requirement("M42")
def test_messages_that_arrive_together_are_all_kept_once_each(clean: None, redis_url: str) -> None:
    together = Together(redis_url)
    sent = [message() for _ in range(200)]
    told = in_the_loop(*(partial(together.add, each) for each in sent))
    with redis.Redis.from_url(redis_url) as client:
        kept = [fields[b"id"].decode() for _, fields in client.xrange("milepost:intake:live")]
    assert sorted(kept) == sorted(str(m.id) for m in sent)
    assert sum(k.wake for k in told) == 2, "the first and the two hundredth"
    assert {k.length for k in told} == {200}, "in one write"


def test_a_request_in_a_thread_keeps_its_message_too(clean: None, redis_url: str) -> None:
    assert Together(redis_url).add(message()).length == 1


def test_all_who_wait_together_hear_that_the_stream_failed() -> None:
    together = Together(NOWHERE_REDIS)
    faults = in_the_loop(*(partial(together.add, message()) for _ in range(100)))
    assert [type(fault) for fault in faults] == [redis.RedisError] * 100
    assert len({id(fault) for fault in faults}) == 100


def test_a_request_that_is_called_off_leaves_the_others_their_answers(clean: None, redis_url: str) -> None:
    together = Together(redis_url)

    async def run() -> tuple[Kept, Kept]:
        first, second = (asyncio.create_task(call(partial(together.add, message()))) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        return await second, await call(partial(together.add, message()))

    assert [kept.length for kept in asyncio.run(run())] == [2, 3], "and it goes on"


def test_the_database_is_asked_beside_the_loop(engine: Engine) -> None:
    keeper = Keeper(Together(NOWHERE_REDIS), engine, max_length=10, wake=lambda lane: None)
    in_the_loop(*(partial(keeper.keep, message()) for _ in range(5)))
    assert len(stored(engine)) == 5


def test_a_broker_that_does_not_answer_keeps_nobody_waiting() -> None:
    answered, woken = threading.Event(), []

    def wake(lane: str) -> None:
        answered.wait(10)
        woken.append(lane)

    waker = Waker(wake)
    for _ in range(200):
        waker("live")
    assert woken == [], "the calls returned although no wake-up had"
    answered.set()


def test_a_wake_up_that_fails_does_not_end_the_waking() -> None:
    done = threading.Event()

    def wake(lane: str) -> None:
        if lane == "bulk":
            raise ZeroDivisionError
        done.set()

    waker = Waker(wake)
    waker("bulk")
    waker("live")
    assert done.wait(5)


def test_the_door_connects_to_nothing_until_a_message_comes() -> None:
    settings = load_settings({"MILEPOST_REDIS_URL": NOWHERE_REDIS, "MILEPOST_DATABASE_URL": NOWHERE_DATABASE})
    assert make_keeper(settings).intake is not None
