"""Brings the database to the schema this version needs."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from shipments.store.database import make_engine

_MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK = 0x4D696C65  # "Mile": two processes that start together migrate one after the other


def alembic_config() -> Config:
    """Alembic's configuration, made here so that there is no alembic.ini to keep in step."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def migrate(database_url: str) -> None:
    """Upgrades to the newest migration; does nothing where that is done. Safe to call from several processes."""
    engine = make_engine(database_url)
    try:
        with engine.begin() as connection:
            connection.execute(text("set local statement_timeout = 0"))
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            upgrade(connection)
    finally:
        engine.dispose()


def upgrade(connection: Connection) -> None:
    """Runs the migrations on an open connection."""
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
