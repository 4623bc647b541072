"""Waking a stage. The only part of the workers that the doors know."""

import logging

from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from config.queues import CORRELATE, ingest_queue
from workers.celery import app
from workers.resources import redis_client

log = logging.getLogger(__name__)


def wake(task: str, queue: str, *args: str) -> bool:
    """Asks a worker of that queue to look for work. False if the broker is away: beat asks again within seconds."""
    try:
        app.send_task(task, args=args, queue=queue, ignore_result=True)
    except (OperationalError, RedisError, OSError) as fault:
        log.warning("no worker could be woken, beat will", extra={"stage": task, "fault": type(fault).__name__})
        return False
    return True


def wake_ingest(lane: str) -> bool:
    """Messages wait in that lane's stream."""
    return wake("ingest", ingest_queue(lane), lane)


def wake_correlate() -> bool:
    """Odoo says that a tracking number was changed there. A wake-up that waits is enough: it has read nothing yet."""
    try:
        if redis_client().llen(CORRELATE):
            return True
    except RedisError:
        pass  # which wake() says
    return wake("correlate", CORRELATE)
