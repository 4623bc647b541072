"""Short ways to let a test poll: the stub's settings in, a run out. Also what a process of its own runs."""

import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import redis
from sqlalchemy import Engine, text

from carriers.registry import carrier_names
from config.settings import load_settings
from shipments.rules.polling import load_polling
from shipments.store.database import make_engine
from shipments.store.intake import Intake
from shipments.store.polls import want
from shipments.store.seal import Seal
from tests.fakes.carrier_api import CarrierApi
from workers.poll.asker import Asker
from workers.poll.run import Polled, Run, Stores
from workers.poll.source import Source, find_source
from workers.poll.throttle import Throttle
from workers.poll.tokens import Tokens
from workers.resources import SHIPPED_POLLING

SEAL = Seal([("test", b"k" * 32)])
TABLE = load_polling(SHIPPED_POLLING, carrier_names())
MOST_BYTES = 1_000_000
START = datetime.now(UTC).replace(microsecond=0) - timedelta(days=2)
FAST = "1000/s"


def source_of(environ: dict[str, str], carrier: str) -> Source:
    source = find_source(carrier, load_settings(environ))
    assert source is not None
    return source


def throttle_of(client: redis.Redis, source: Source) -> Throttle:
    return Throttle(client, source.name, source.account, source.limits)


def run(engine: Engine, client: redis.Redis, environ: dict[str, str], carrier: str, seconds: float = 10) -> Polled:
    """One run against the stub that the settings name."""
    source = source_of(environ, carrier)
    asker = Asker(source, Tokens(client, SEAL, source.name, source.account), MOST_BYTES)
    return Run(source, asker, throttle_of(client, source), TABLE, Stores(engine, Intake(client), SEAL)).go(seconds)


def ask_about(engine: Engine, carrier: str, *numbers: str) -> None:
    """Lets a person want those numbers asked about."""
    with engine.begin() as connection:
        want(connection, carrier, numbers)


def history(*milestones: str) -> list[tuple[str, datetime]]:
    return [(milestone, START + timedelta(hours=5 * step)) for step, milestone in enumerate(milestones)]


def settings(api: CarrierApi, limits: str = FAST) -> dict[str, str]:
    return api.environ() | {f"CARRIER_{api.carrier.upper()}_POLL_LIMITS": limits}


def age_polls(engine: Engine, by: timedelta) -> None:
    """As if so much time had passed for what is asked about, and for the events that were told."""
    with engine.begin() as connection:
        connection.execute(
            text("update polls set since = since - :by, due_at = due_at - :by, asked_at = asked_at - :by"), {"by": by}
        )
        connection.execute(text("update events set received_at = received_at - :by"), {"by": by})


def main(database_url: str, redis_url: str, carrier: str, seconds: str, *environ: str) -> None:
    """A run in a process of its own: the last arguments are settings, NAME=value."""
    settings = dict(pair.split("=", 1) for pair in environ)
    polled = run(make_engine(database_url), redis.Redis.from_url(redis_url), settings, carrier, float(seconds))
    print(asdict(polled))


if __name__ == "__main__":
    main(*sys.argv[1:])
