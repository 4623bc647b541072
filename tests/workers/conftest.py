"""The store, empty, and short ways to fill it."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

import pytest
import redis
from sqlalchemy import Engine, text

from config.settings import get_settings
from shipments.clock import new_id, now
from shipments.delivery import Delivery
from shipments.event import Event
from shipments.rules.policy import load_policy
from shipments.store.database import make_engine
from shipments.store.events import Told
from shipments.store.intake import Intaken, connect
from shipments.store.messages import MessageState, Verdict
from tests.shipments.telling import START
from workers import resources
from workers.correlate import Correlated, store_deliveries
from workers.ingest import Tally, ingest_batch
from workers.resources import SHIPPED_POLICY
from workers.understand import Understood

POLICY = load_policy(SHIPPED_POLICY)


@pytest.fixture(scope="session")
def shared_engine(database_url: str) -> Iterator[Engine]:
    engine = make_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def engine(shared_engine: Engine, clean: None) -> Engine:
    return shared_engine


@pytest.fixture
def client(clean: None, redis_url: str) -> Iterator[redis.Redis]:
    with connect(redis_url) as connected:
        yield connected


def forget_what_is_open() -> None:
    """What tasks keep open is made anew, by the settings of now."""
    for made in (*(made for made in vars(resources).values() if hasattr(made, "cache_clear")), get_settings):
        made.cache_clear()


@pytest.fixture
def stores(monkeypatch: pytest.MonkeyPatch, redis_url: str, database_url: str, clean: None) -> Iterator[None]:
    """Tasks that the test runs work on its stores."""
    monkeypatch.setenv("MILEPOST_REDIS_URL", redis_url)
    monkeypatch.setenv("MILEPOST_DATABASE_URL", database_url)
    monkeypatch.setenv("MILEPOST_SECRET_KEY", "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")
    forget_what_is_open()
    yield
    forget_what_is_open()


def message(
    carrier: str = "testing", received_at: datetime | None = None, sealed: bytes = b"-", account: str = ""
) -> Intaken:
    return Intaken(new_id(), carrier, account, "live", received_at or now(), "0" * 32, sealed)


def understood(*events: Event, account: str = "", received_at: datetime | None = None) -> Understood:
    """A message that told of these events."""
    about = message(account=account, received_at=received_at)
    told = tuple(Told(event, about.id, about.received_at) for event in events)
    return Understood(Verdict(about, MessageState.DONE, None, len(told)), told)


@pytest.fixture
def ingest(engine: Engine) -> Callable[..., Tally]:
    """Ingests messages, each given as the list of its events, as one batch."""

    def ingest(*messages: Sequence[Event]) -> Tally:
        return ingest_batch(engine, [understood(*events) for events in messages], POLICY)

    return ingest


@pytest.fixture
def register(engine: Engine) -> Callable[..., None]:
    """Tells the store of deliveries in Odoo: id, numbers, and where it matters the order, the company and when Odoo
    made it.
    """

    def register(
        picking_id: int,
        *numbers: str,
        order_id: int | None = None,
        registered_at: datetime = START,
        company_id: int = 1,
        **more: Any,
    ) -> None:
        name, order = f"WH/OUT/{picking_id:05d}", f"S{order_id}"
        delivery = Delivery(picking_id, name, numbers, order_id, order, company_id, registered_at, now(), None, **more)
        store_deliveries(engine, [delivery], POLICY, Correlated())

    return register


@pytest.fixture
def rows(engine: Engine) -> Callable[..., list]:
    """The rows of a query, as tuples."""

    def rows(query: str, **values: object) -> list:
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    return rows
