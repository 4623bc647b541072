"""The main job from outside: signed webhooks in, the right milestone in Odoo, whatever is killed in between.

Runs against the stand-in, and against a real Odoo where ODOO_URL names one. MILEPOST_SYSTEM_DELIVERIES sets the size.
"""

import contextlib
import os
import random
import signal
import threading
import time
from uuid import uuid4

import pytest
import requests

from shipments.clock import now
from tests.fakes.carriers import USUAL, post, shuffled, story
from tests.system.conftest import REAL, expected_milestones, wait_for

pytestmark = [pytest.mark.odoo] if REAL else []
DELIVERIES = int(os.environ.get("MILEPOST_SYSTEM_DELIVERIES", "30"))
CARRIERS = ("dhl_unified", "fedex", "ups")
LONG = (*USUAL[:4], "departed_facility", "arrived_at_facility", *USUAL[4:])
WAYS = (LONG, LONG[:7], (*LONG[:7], "delivery_attempted"), LONG[:7])
"""Seven and a half events a parcel: 200 deliveries with a third repeated are 2,000 webhooks."""


def load(seed: int):
    """Numbers of this run's own with their posts, in random order, a third of them sent again."""
    chance, run = random.Random(seed), uuid4().hex[:6].upper()
    numbers = {f"RUN{run}{n:05d}": CARRIERS[n % 3] for n in range(DELIVERIES)}
    posts = []
    for place, (number, carrier) in enumerate(numbers.items()):
        way = WAYS[place % len(WAYS)]
        posts += story(carrier, number, LONG if carrier == "ups" else way)
    return numbers, posts, shuffled(posts, 1 / 3, chance)


def milestones(system, deliveries):
    """What Odoo shows, by number."""
    shown = {row["id"]: row["x_milepost_milestone"] for row in system.in_odoo(deliveries)["deliveries"]}
    return {number: shown[delivery.picking_id] for number, delivery in deliveries.items()}


@pytest.mark.requirement("M1", "M2", "M31", "M45", "M51", "M75", "M132", "B3")
def test_webhooks_in_any_order_bring_odoo_up_to_date_and_again_change_nothing(system):
    numbers, posts, sent = load(seed=1)
    deliveries = system.make_deliveries(list(numbers))
    calls = system.odoo_calls()
    assert None not in system.post(sent)
    system.wait_until_settled()
    assert milestones(system, deliveries) == expected_milestones(posts)
    spent = system.odoo_calls() - calls
    assert spent > 0
    print(f"{len(sent)} webhooks, {DELIVERIES} deliveries, {spent} Odoo calls")
    assert spent < 100
    before = system.in_odoo(deliveries)
    assert None not in system.post(sent)
    system.wait_until_settled()
    time.sleep(0.05)
    assert system.in_odoo(deliveries) == before


@pytest.mark.requirement("M66", "M67", "M68", "M69", "M70", "M119", "M59")
def test_a_single_webhook_is_in_odoo_within_seconds_and_its_lateness_is_counted(system):
    numbers, _, _ = load(seed=3)
    number = next(number for number, carrier in numbers.items() if carrier == "fedex")
    delivery = system.make_deliveries([number])[number]
    system.wait_until_settled()

    def lateness():
        lines = requests.get(f"{system.up.web_url}/metrics", timeout=10).text.splitlines()
        name = 'milepost_received_to_odoo_seconds_count{carrier="fedex"}'
        return sum(float(line.split()[-1]) for line in lines if line.startswith(name))

    before = lateness()
    for milestone in ("picked_up", "out_for_delivery", "delivery_attempted", "delivered"):
        (accepted,) = system.post([post("fedex", number, milestone, now())])
        expect_in_odoo(system, number, delivery, milestone)
    wait_for(lambda: lateness() > before, 10, "the lateness to be counted")
    assert system.rows("select state from messages where id = :id", id=accepted) == [("done",)]


def expect_in_odoo(system, number, delivery, milestone):
    def shown():
        return milestones(system, {number: delivery})[number] == milestone

    wait_for(shown, 20, f"Odoo to show {milestone}")


@pytest.mark.requirement("M42", "M118", "M50")
def test_whatever_is_killed_every_accepted_message_is_kept_and_odoo_ends_up_right(system):
    numbers, posts, sent = load(seed=2)
    deliveries = system.make_deliveries(list(numbers))
    accepted = []
    loading = threading.Thread(target=lambda: accepted.extend(system.post(sent, 4, until_accepted=True)))
    loading.start()
    system.proxy.away = True
    victims = [*system.up.pids, "valkey", "postgres"]
    for name in victims:
        kill(system, name)
        time.sleep(0.05)
    loading.join()
    system.proxy.away = False
    for name in ("web", "worker", "act"):
        kill(system, name)
    system.wait_until_settled(180)
    stored = {row[0] for row in system.rows("select id from messages")}
    assert set(accepted) <= stored
    assert milestones(system, deliveries) == expected_milestones(posts)
    timeline = system.in_odoo(deliveries)["timeline"]
    assert len(timeline) == len({post.body for post in posts}), "each event once"


def kill(system, name):
    """kill -9, then wait until it was started again."""

    def find():
        return system.up.servers.pid_of(name) if name in ("valkey", "postgres") else system.up.pids[name]

    wait_for(find, 30, f"{name} to run")
    pid = find()
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: find() not in (0, pid), 30, f"{name} to be started again")


@pytest.mark.requirement("M43", "B1")
def test_refusals_say_why(system):
    url = f"{system.up.web_url}/in/ups"
    sent = post("ups", "1ZX", "delivered", now())
    wrong = requests.post(url, data=sent.body, headers={"credential": "forged"}, timeout=10)
    assert (wrong.status_code, wrong.json()["reason"]) == (401, "signature-mismatch")
    unknown = requests.post(f"{system.up.web_url}/in/nobody", data=b"{}", timeout=10)
    assert (unknown.status_code, unknown.headers["content-type"]) == (404, "application/problem+json")
    large = requests.post(url, data=b"x" * 5_000_000, headers=sent.headers, timeout=30)
    assert large.status_code == 413


@pytest.mark.requirement("M42", "B1")
def test_without_valkey_the_database_keeps_it_and_without_both_the_carrier_is_told_to_come_again(system):
    servers = system.up.servers
    sent = post("ups", f"1Z{uuid4().hex[:8]}", "delivered", now())
    url = f"{system.up.web_url}/in/ups"

    def send():
        return requests.post(url, data=sent.body, headers=sent.headers, timeout=20)

    freeze(servers.pid_of("valkey"), signal.SIGSTOP)
    try:
        answer = send()
        assert answer.status_code == 200
        assert system.rows("select count(*) from messages where id = :id", id=answer.json()["id"]) == [(1,)]
        freeze(servers.pid_of("postgres"), signal.SIGSTOP)
        for child in children(servers.pid_of("postgres")):
            freeze(child, signal.SIGSTOP)
        answer = send()
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
    finally:
        for child in [*children(servers.pid_of("postgres")), servers.pid_of("postgres"), servers.pid_of("valkey")]:
            freeze(child, signal.SIGCONT)
    wait_for(lambda: send().status_code == 200, 30, "the doors to open again")


def freeze(pid, how):
    os.kill(pid, how)


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as listing:
        return [int(child) for child in listing.read().split()]
