"""The Celery application, hardened: a task is a wake-up without data, so losing or repeating one costs nothing."""

import sys
from typing import Any

from celery import Celery
from celery.signals import beat_init, celeryd_init, setup_logging, task_postrun, worker_process_init
from kombu import Queue

from carriers.registry import all_carriers
from config import logging as log_lines
from config import sentry
from config.collector import collect_seldom
from config.queues import QUEUES
from config.settings import get_settings
from shipments.errors import SetupFault
from workers.beat import SCHEDULE
from workers.resources import engine, meter, policy, polling

TASK_SECONDS = 50
"""A task stops taking more work after a while (see workers/tasks); this is where it is stopped."""

TASK_LIMIT_SECONDS = TASK_SECONDS + 20
"""Where the process of a task that does not let itself be stopped is killed."""

app = Celery("milepost", include=["workers.tasks", "workers.watchdog"])
app.conf.update(
    broker_url=get_settings().redis_url or None,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": 120,  # above every task's time limit, so that none is handed out twice while it runs
        "socket_timeout": 10,
        "socket_connect_timeout": 2,
        "health_check_interval": 30,
        "retry_on_timeout": True,
    },
    beat_schedule=SCHEDULE,
    beat_scheduler="workers.scheduler:PoliteScheduler",
    beat_max_loop_interval=1,  # how often beat renews its lease
    task_queues=[Queue(name) for name in QUEUES],
    task_create_missing_queues=False,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_publish_retry=False,
    task_time_limit=TASK_LIMIT_SECONDS,
    task_soft_time_limit=TASK_SECONDS,
    task_send_sent_event=True,
    worker_send_task_events=True,
    worker_prefetch_multiplier=1,
    worker_hijack_root_logger=False,
    worker_cancel_long_running_tasks_on_connection_loss=True,
    worker_max_tasks_per_child=2000,
    timezone="UTC",
)


@setup_logging.connect
def _log_lines(**_: Any) -> None:
    """Instead of Celery's own logging: JSON lines, and none with a task's arguments."""
    log_lines.configure(get_settings(), "celery")


@celeryd_init.connect
@beat_init.connect
def _report_errors(**_: Any) -> None:
    """In the parent, before it forks: the children inherit it."""
    sentry.configure(get_settings())


@celeryd_init.connect
def _read_setup(**_: Any) -> None:
    """In the parent too: a fault in a described source, the codes or a table ends the worker, and parks no messages."""
    try:
        all_carriers()
        policy()
        polling()
    except SetupFault as fault:
        sys.exit(str(fault))


@worker_process_init.connect
def _collect_seldom(**_: Any) -> None:
    collect_seldom()


@task_postrun.connect
def _account_for_odoo(**_: Any) -> None:
    """Whatever the task asked of Odoo is written down; most tasks ask nothing."""
    if meter():
        meter().post(engine())
