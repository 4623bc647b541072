"""The stores as the poll stage sees them, and what stands around it: a carrier that pushes, a worker that ingests."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis
from sqlalchemy import Engine

import workers.poll.run
from shipments.store.intake import Intake
from tests.fakes.carriers import story
from tests.workers.conftest import POLICY, message
from tests.workers.poll.asking import SEAL, START
from workers.ingest import Tally, ingest_batch
from workers.understand import understand_all


@pytest.fixture(autouse=True)
def woken(monkeypatch) -> list[tuple[str, ...]]:
    """The wake-ups that were sent: there is no worker here."""
    sent: list[tuple[str, ...]] = []
    monkeypatch.setattr(workers.poll.run, "wake", lambda *wake_up: sent.append(wake_up))
    return sent


@pytest.fixture
def ingest_all(engine: Engine, client: redis.Redis) -> Callable[[], Tally]:
    """Ingests whatever waits in the bulk lane, as a worker would."""

    def ingest_all() -> Tally:
        intake, total = Intake(client), Tally()
        entries = intake.recover("bulk", "tests", 500) or intake.take("bulk", "tests", 500)
        while entries:
            total += ingest_batch(engine, understand_all((m for _, m in entries if m), SEAL), POLICY)
            intake.finish("bulk", [entry_id for entry_id, _ in entries])
            entries = intake.take("bulk", "tests", 500)
        return total

    return ingest_all


@pytest.fixture
def push(engine: Engine) -> Callable[..., None]:
    """The carrier posts what happened; it arrives now, or so long ago."""

    def push(carrier: str, number: str, *milestones: str, ago: timedelta = timedelta(0)) -> None:
        batch = []
        for post in story(carrier, number, milestones, START):
            about = message(carrier, datetime.now(UTC) - ago)
            sealed = SEAL.close(about.id, post.body, post.headers)
            batch.append(type(about)(about.id, carrier, "", "live", about.received_at, about.trace, sealed))
        ingest_batch(engine, understand_all(batch, SEAL), POLICY)

    return push
