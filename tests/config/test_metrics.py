"""Counts of many processes become one truth."""

import os

import pytest
from fakeredis import FakeRedis, FakeServer
from prometheus_client import generate_latest

from config import metrics
from config.metrics import ACCOUNT, RECEIVE_SECONDS, RECEIVED, Ledger, Totals


@pytest.fixture
def redis() -> FakeRedis:
    return FakeRedis()


def counted(ledger: Ledger, outcome: str) -> float:
    return ledger.read().get(f'["milepost_received_total",["carrier","acme"],["outcome","{outcome}"]]', 0.0)


def test_a_count_is_posted_once(redis: FakeRedis) -> None:
    ledger = Ledger(redis)
    ledger.post()
    RECEIVED.labels("acme", "once").inc(3)
    assert ledger.post()
    assert ledger.post()
    assert counted(ledger, "once") == 3


def test_counts_of_several_processes_are_added(redis: FakeRedis) -> None:
    ledger = Ledger(redis)
    RECEIVED.labels("acme", "added").inc()
    ledger.post()
    redis.hincrbyfloat(ACCOUNT, '["milepost_received_total",["carrier","acme"],["outcome","added"]]', 41)
    RECEIVED.labels("acme", "added").inc()
    ledger.post()
    assert counted(ledger, "added") == 43
    assert (
        'milepost_received_total{carrier="acme",outcome="added"} 43.0'
        in generate_latest(Totals(ledger.read())).decode()
    )


def test_counts_wait_for_redis_to_come_back() -> None:
    server = FakeServer()
    server.connected = False
    ledger = Ledger(FakeRedis(server=server))
    RECEIVED.labels("acme", "waited").inc(2)
    assert not ledger.post()
    server.connected = True
    assert ledger.post()
    assert counted(ledger, "waited") == 2


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_worker_does_not_post_its_parents_counts_again(redis: FakeRedis) -> None:
    ledger = Ledger(redis)
    RECEIVED.labels("acme", "forked").inc()
    ledger._start_over()
    ledger.post()
    assert counted(ledger, "forked") == 0


def test_a_histogram_is_shown_with_its_buckets_in_order(redis: FakeRedis) -> None:
    ledger = Ledger(redis)
    RECEIVE_SECONDS.observe(0.02)
    ledger.post()
    lines = [
        line
        for line in generate_latest(Totals(ledger.read())).decode().splitlines()
        if "receive_seconds_bucket" in line
    ]
    counts = [float(line.split()[1]) for line in lines]
    assert lines[-1].startswith('milepost_receive_seconds_bucket{le="+Inf"}')
    assert counts == sorted(counts)


def test_every_metric_has_a_sentence_and_our_prefix() -> None:
    families = [*metrics.COUNTED.collect(), *metrics.MEASURED.collect()]
    assert len(families) > 10
    assert all(f.name.startswith("milepost_") and f.documentation.endswith(".") for f in families)
