"""What a worker process holds open: made when first used, after the fork, and kept for the life of the process."""

from dataclasses import replace
from datetime import timedelta
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
from workers.odoo.budget import Budget
from workers.odoo.client import CONNECT_SECONDS, Call, Odoo
from workers.odoo.client import connect as connect_odoo
from workers.odoo.cost import Meter
from workers.odoo.guard import verify
from workers.odoo.metrics import note_call
from workers.odoo.pace import Pace

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
    settings = get_settings()
    table = load_policy(Path(settings.policy) if settings.policy else SHIPPED_POLICY)
    return replace(table, companies=settings.carrier_companies)


@cache
def odoo() -> Odoo:
    """Asked for its version and whom it belongs to when first used; where that raises, the next use asks again."""
    client = connect_odoo(get_settings())
    client.on_call, client.on_done, client.place = note_call, _note_done, budget().place
    verify(engine(), client)
    return client


@cache
def budget() -> Budget:
    told = get_settings()
    longest = timedelta(seconds=CONNECT_SECONDS + told.odoo_timeout_seconds + 1)
    name = f"{told.odoo_url}/{told.odoo_database}"
    return Budget(redis_client(), name, told.odoo_calls_per_minute, told.odoo_concurrent_calls, longest)


@cache
def meter() -> Meter:
    return Meter()


@cache
def pace() -> Pace:
    return Pace(get_settings().odoo_slow_seconds)


def _note_done(call: Call) -> None:
    meter().note(call)
    if call.outcome == "done":
        pace().note(call.seconds)


@cache
def polling() -> Polling:
    chosen = get_settings().polling
    return load_polling(Path(chosen) if chosen else SHIPPED_POLLING, carrier_names())
