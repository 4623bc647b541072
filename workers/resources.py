"""What a worker process holds open: made when first used, after the fork, and kept for the life of the process."""

from functools import cache
from pathlib import Path

import redis
from sqlalchemy import Engine

from carriers.registry import carrier_names
from config.metrics import Ledger
from config.settings import get_settings
from shipments.rules.policy import Policy, load_policy
from shipments.rules.polling import Polling, load_polling
from shipments.store.database import make_engine
from shipments.store.intake import Intake, connect
from shipments.store.seal import Seal
from shipments.store.suspects import Suspects
from workers.odoo.client import Odoo
from workers.odoo.client import connect as connect_odoo
from workers.odoo.metrics import note_call

SHIPPED_POLICY = Path(__file__).parent.parent / "config" / "policy.toml"
SHIPPED_POLLING = SHIPPED_POLICY.with_name("polling.toml")


@cache
def engine() -> Engine:
    return make_engine(get_settings().database_url)


@cache
def redis_client() -> redis.Redis:
    return connect(get_settings().redis_url)


@cache
def intake() -> Intake:
    return Intake(redis_client())


@cache
def suspects() -> Suspects:
    return Suspects(redis_client())


@cache
def ledger() -> Ledger:
    return Ledger(redis_client())


@cache
def seal() -> Seal:
    return Seal(get_settings().secret_key)


@cache
def policy() -> Policy:
    chosen = get_settings().policy
    return load_policy(Path(chosen) if chosen else SHIPPED_POLICY)


@cache
def odoo() -> Odoo:
    """Asked for its version when first used, which may raise OdooAway; then the next use asks again."""
    client = connect_odoo(get_settings())
    client.on_call = note_call
    return client


@cache
def polling() -> Polling:
    chosen = get_settings().polling
    return load_polling(Path(chosen) if chosen else SHIPPED_POLLING, carrier_names())
