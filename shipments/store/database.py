"""The connection to PostgreSQL."""

import msgspec
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

STATEMENT_SECONDS = 15


def make_engine(url: str, pool_size: int = 4) -> Engine:
    """An engine on psycopg 3, for any `postgresql://` URL. Nothing is connected until it is used.

    A statement that takes longer than STATEMENT_SECONDS is ended by the server, as is a transaction that stands idle:
    a stuck worker must not hold the locks of others.
    """
    options = f"-c statement_timeout={STATEMENT_SECONDS}s -c idle_in_transaction_session_timeout=60s -c timezone=UTC"
    # a plan that was made while a table was small reads all of it when it has grown: plan each time, it costs little
    options += " -c plan_cache_mode=force_custom_plan"
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_size=pool_size,
        pool_pre_ping=True,
        pool_timeout=2,
        json_deserializer=msgspec.json.decode,
        connect_args={"connect_timeout": 2, "options": options, "application_name": "milepost"},
    )
