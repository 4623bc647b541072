"""The budget of calls to Odoo, in a real Valkey, which all processes share."""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
import redis

from config.settings import BadSettings, load_settings
from tests.fakes.odoo import FakeOdoo
from workers.odoo import budget as budget_module
from workers.odoo.budget import Budget, OdooBudgetSpent
from workers.odoo.client import connect

LEASE = timedelta(seconds=30)


@pytest.fixture
def calling(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Says for which stage the next calls are made; nobody waits for a place for more than a moment."""
    monkeypatch.setattr(budget_module, "LONGEST_WAIT", timedelta(milliseconds=200))

    def calling(stage: str) -> None:
        monkeypatch.setattr(budget_module, "purpose", lambda: stage)

    calling("act")
    return calling


def calls_until_spent(budget: Budget) -> int:
    for made in range(100):
        try:
            with budget.place():
                pass
        except OdooBudgetSpent:
            return made
    raise AssertionError("there is no end to it")


@pytest.mark.requirement("M85")
def test_no_more_calls_are_under_way_at_once_than_the_budget_allows_in_all_processes_together(
    client: redis.Redis,
) -> None:
    under_way, most, lock = 0, 0, threading.Lock()

    def call() -> None:
        nonlocal under_way, most
        with Budget(client, "db", 6000, 2, LEASE).place():
            with lock:
                under_way += 1
                most = max(most, under_way)
            time.sleep(0.05)
            with lock:
                under_way -= 1

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 2


@pytest.mark.requirement("M85")
def test_when_the_calls_of_a_minute_are_used_up_none_is_made(
    client: redis.Redis, calling: Callable[[str], None]
) -> None:
    budget = Budget(client, "db", 20, 2, LEASE)
    assert calls_until_spent(budget) == 2, "a tenth of them at once, the others spread over the minute"
    with pytest.raises(OdooBudgetSpent, match="ODOO_CALLS_PER_MINUTE") as spent, budget.place():
        pass
    assert spent.value.retry_after_seconds


@pytest.mark.requirement("M133")
def test_what_is_written_has_a_place_while_what_nobody_waits_for_uses_up_its_own(
    client: redis.Redis, calling: Callable[[str], None]
) -> None:
    budget = Budget(client, "db", 600, 2, LEASE)
    calling("reconcile")
    with budget.place():
        with pytest.raises(OdooBudgetSpent, match="ODOO_CONCURRENT_CALLS"), budget.place():
            pass
        calling("act")
        with budget.place():
            pass


@pytest.mark.requirement("M133")
def test_what_nobody_waits_for_gets_half_of_a_minutes_calls(
    client: redis.Redis, calling: Callable[[str], None]
) -> None:
    budget = Budget(client, "db", 40, 2, LEASE)
    calling("correlate")
    assert calls_until_spent(budget) == 2
    calling("act")
    with budget.place():
        pass


def test_the_place_of_one_who_was_killed_is_free_when_its_lease_ends(
    client: redis.Redis, calling: Callable[[str], None]
) -> None:
    killed = Budget(client, "db", 600, 1, timedelta(milliseconds=100))
    held = killed.place()
    held.__enter__()
    with Budget(client, "db", 600, 1, LEASE).place():
        pass


def test_without_redis_calls_are_made_all_the_same() -> None:
    nobody = redis.Redis(port=1, socket_connect_timeout=0.1)
    with Budget(nobody, "db", 1, 1, LEASE).place(), Budget(nobody, "db", 1, 1, LEASE).place():
        pass


def test_a_client_asks_its_budget_before_each_call(
    client: redis.Redis, calling: Callable[[str], None], fake: FakeOdoo
) -> None:
    odoo = connect(fake.settings())
    odoo.place = Budget(client, "db", 10, 1, LEASE).place
    odoo.call("res.users", "context_get")
    asked = len(fake.calls)
    with pytest.raises(OdooBudgetSpent):
        odoo.call("res.users", "context_get")
    assert len(fake.calls) == asked


@pytest.mark.requirement("M85")
def test_a_budget_too_small_to_do_anything_is_refused_at_boot() -> None:
    with pytest.raises(BadSettings, match="ODOO_CALLS_PER_MINUTE is not at least 30"):
        load_settings({"ODOO_CALLS_PER_MINUTE": "5"})
