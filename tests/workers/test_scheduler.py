"""Beat does not pile up wake-ups for a worker that is away, and none of them can expire."""

import pytest
from celery.beat import ScheduleEntry

from workers import scheduler
from workers.beat import SCHEDULE
from workers.celery import app


@pytest.fixture
def sent(monkeypatch):
    calls = []
    monkeypatch.setattr(scheduler.Scheduler, "apply_entry", lambda self, entry, producer=None: calls.append(entry.task))
    return calls


class Broker:
    def __init__(self, waiting):
        self.waiting = waiting

    def llen(self, queue):
        return self.waiting


@pytest.mark.parametrize(("waiting", "woken"), [(0, ["act"]), (1, ["act"]), (2, []), (500, [])])
def test_a_stage_is_woken_unless_two_wake_ups_wait(sent, monkeypatch, waiting, woken):
    monkeypatch.setattr(scheduler, "redis_client", lambda: Broker(waiting))
    entry = ScheduleEntry(name="act", task="act", schedule=2, options={"queue": "act"}, app=app)
    scheduler.PoliteScheduler(app, lazy=True).apply_entry(entry)
    assert sent == woken


def test_a_wake_up_never_expires():
    """Celery compares the time with the worker's own clock, and clocks are an hour off."""
    assert all("expires" not in entry["options"] for entry in SCHEDULE.values())
