"""poll: looks for what is to be asked about, and asks one carrier."""

import logging
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from celery import shared_task
from redis.exceptions import RedisError

from config.queues import POLL
from config.settings import get_settings
from shipments.store.polls import PAGE, enter_numbers, enter_parcels, find_due, forget_stopped
from shipments.store.transaction import transact
from workers.bell import answer, ring
from workers.poll.asker import Asker
from workers.poll.run import Run, Stores
from workers.poll.source import Source, find_source, find_sources
from workers.poll.throttle import Throttle
from workers.poll.tokens import Tokens
from workers.resources import engine, intake, ledger, polling, redis_client, seal

log = logging.getLogger(__name__)

POLL_SECONDS = 25
"""A run begins no call after so long. With the last answer it ends well within a task's time limit."""

_ENTERED = "milepost:poll:entered"
ENTER_EVERY = timedelta(minutes=1)
_PAGES = 20

FORGOTTEN_AFTER = timedelta(days=180)
"""What has stopped is kept for so long, and then as if it had never been asked about."""


@shared_task(name="poll")
def poll(carrier: str = "") -> dict[str, Any]:
    """With a carrier's name, asks it; without, wakes one such task for each carrier that has something due."""
    answer("poll", *filter(None, (carrier,)))
    done = _ask(carrier) if carrier else _look_around()
    ledger().post()
    return done


def _look_around() -> dict[str, Any]:
    sources = find_sources(get_settings())
    if not sources:
        return {"skipped": "no carrier has the credentials to be asked with, see docs/polling.md"}
    names = [source.name for source in sources]
    entered = _enter(names) if redis_client().set(_ENTERED, 1, nx=True, ex=ENTER_EVERY) else 0
    with engine().connect() as connection:
        due = find_due(connection, names)
    for name in due:
        ring("poll", POLL, name)
    return {"entered": entered, "woken": due}


def _enter(names: list[str]) -> int:
    """Finds what is new in the store since the last time; how many parcels were looked at, and numbers of Odoo's."""
    looked_at = 0
    for _ in range(_PAGES):
        page = transact(engine(), lambda connection: enter_parcels(connection, names))
        looked_at += page
        if page < PAGE:
            break
    table = polling()
    methods = {method: name for method, name in table.methods.items() if name in names}
    numbers = transact(engine(), lambda connection: enter_numbers(connection, methods, table.never_known))
    transact(engine(), lambda connection: forget_stopped(connection, FORGOTTEN_AFTER))
    return looked_at + numbers


def _ask(carrier: str) -> dict[str, Any]:
    source = find_source(carrier, get_settings())
    if source is None:
        return {"skipped": f"{carrier} has no credentials to be asked with"}
    try:
        throttle = Throttle(redis_client(), source.name, source.account, source.limits)
        seconds, why = throttle.paused()
        if seconds:
            return {"skipped": f"left alone for {seconds:.0f} s: {why}"}
        polled = _run(source, throttle).go(POLL_SECONDS)
    except RedisError as fault:
        log.warning("Redis is away; nobody is asked", extra={"stage": "poll", "fault": type(fault).__name__})
        return {"skipped": "Redis is away, and with it the count of calls"}
    if polled.more:
        ring("poll", POLL, carrier)
    return asdict(polled)


def _run(source: Source, throttle: Throttle) -> Run:
    tokens = Tokens(redis_client(), seal(), source.name, source.account)
    asker = Asker(source, tokens, get_settings().max_body_bytes)
    return Run(source, asker, throttle, polling(), Stores(engine(), intake(), seal()))
