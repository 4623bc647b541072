"""What every test may ask for: the real servers, a database of the newest schema, and both of them empty."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded.servers import Servers
from shipments.store.migrate import migrate


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """The embedded Valkey and PostgreSQL, started when the first test asks and stopped after the last."""
    with tempfile.TemporaryDirectory(prefix="milepost-tests-") as home, Servers(home) as running:
        yield running


@pytest.fixture(scope="session")
def redis_url(servers: Servers) -> str:
    """The tests' own Valkey. Ask for `clean` as well if it has to be empty."""
    return servers.redis_url


@pytest.fixture(scope="session")
def database_url(servers: Servers) -> str:
    """The tests' own PostgreSQL, migrated. Ask for `clean` as well if its tables have to be empty."""
    migrate(servers.database_url)
    return servers.database_url


@pytest.fixture
def clean(redis_url: str, database_url: str) -> None:
    """Empties every table and every stream before the test."""
    empty(redis_url, database_url)


def empty(redis_url: str, database_url: str) -> None:
    """Empties every table and every stream."""
    with redis.Redis.from_url(redis_url) as client:
        client.flushall()
    with psycopg.connect(database_url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') AND tablename <> 'alembic_version'"
        ).fetchall()
        if tables:
            names = ", ".join(name for (name,) in tables)
            connection.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE".encode())


def pytest_configure(config: pytest.Config) -> None:
    """A skipped test always says why."""
    if not set("asA") & set(config.option.reportchars):
        config.option.reportchars += "s"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Other people's samples, which are not ours to ship, are read where they are."""
    parser.addoption(
        "--reference",
        default=str(Path(__file__).parents[2] / "shared" / "carriers" / "samples"),
        help="folder of reference samples, one folder a carrier; by default ../shared/carriers/samples",
    )
    parser.addoption(
        "--pictures",
        default=None,
        help="folder into which the tests that look at a real Odoo write what they see; by default none is written",
    )
