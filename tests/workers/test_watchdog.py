"""A worker that lives and consumes nothing is found and started again; one whose broker is away is let be."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis
from celery import Celery

from config import alive
from config.alive import Sign
from config.embedded.keep import read_sign
from config.embedded.supervised import Supervised
from config.metrics import ACCOUNT, Ledger
from config.queues import INGEST_LIVE, LIVE
from shipments.clock import new_id, now
from shipments.store.intake import STREAM, Intaken, connect
from tests.eventually import eventually
from tests.fakes.proxy import Proxy
from workers import watchdog
from workers.celery import TASK_LIMIT_SECONDS
from workers.watchdog import Progress, Watch

ROOT = Path(__file__).parents[2]
SILENT_SECONDS = 10


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    return Progress(slots=2, clock=clock)


def test_a_worker_with_nothing_to_take_makes_progress_while_its_loop_turns(progress, clock):
    clock.now += 60
    progress.turn(0, [])
    assert progress.look([])[0] == clock.now
    clock.now += 60
    assert progress.look([]) == (clock.now - 60, "then its event loop last turned")


def test_a_worker_that_takes_nothing_of_what_waits_makes_none(progress, clock):
    began = clock.now
    clock.now += 60
    progress.turn(0, [])
    progressed_at, words = progress.look(["act"])
    assert progressed_at == began
    assert words.endswith("now: act")


@pytest.mark.parametrize(("accepted", "running"), [(1, []), (1, [7]), (0, [7])])
def test_a_task_that_begins_or_ends_is_progress(progress, clock, accepted, running):
    clock.now += 60
    progress.turn(accepted, running)
    assert progress.look(["act"])[0] == clock.now
    clock.now += 60
    progress.turn(accepted, running)
    assert progress.look(["act"])[0] == clock.now - 60


def test_long_tasks_are_progress_while_all_processes_are_busy_with_them_and_within_the_limit(progress, clock):
    progress.turn(2, [7, 8])
    clock.now += TASK_LIMIT_SECONDS - 1
    progress.turn(2, [7, 8])
    assert progress.look(["act"])[0] == clock.now
    clock.now += 2
    progress.turn(2, [7, 8])
    assert progress.look(["act"])[0] == clock.now - 2


def test_a_worker_without_a_broker_is_excused_until_now(progress, clock):
    clock.now += 600
    assert progress.excuse() == clock.now
    assert progress.look(["act"])[0] == clock.now


def test_a_redis_that_takes_no_writes_is_not_the_fault_of_the_worker(
    progress, clock, tmp_path, redis_url, clean, monkeypatch
):
    monkeypatch.setattr(watchdog, "ledger", lambda: Ledger(redis.Redis.from_url(redis_url)))
    sign = Sign(tmp_path / "act.alive")
    with redis.Redis.from_url(redis_url) as client:
        client.rpush("act", "a wake-up")
        watch = Watch(sign, progress, ["act"], client)
        began = clock.now
        clock.now += 60
        watch.look()
        assert read_sign(sign.file)[0] == began
        client.config_set("min-replicas-to-write", 1)
        try:
            watch.look()
        finally:
            client.config_set("min-replicas-to-write", 0)
    assert read_sign(sign.file) == (clock.now, "Redis is away or takes no writes")


def test_the_health_check_of_a_container_says_how_old_the_sign_is(tmp_path, capsys):
    sign = Sign(tmp_path / "act.alive")
    sign.show(time.monotonic(), "well")
    assert alive.main(sign.file) == 0
    sign.show(time.monotonic() - alive.SILENT_SECONDS - 5, "stuck")
    assert alive.main(sign.file) == 1
    assert alive.main(tmp_path / "nothing") == 1
    assert capsys.readouterr().out.splitlines() == [
        "progress 0 s ago: well",
        "progress 50 s ago: stuck",
        f"{tmp_path / 'nothing'} holds no sign of life",
    ]


def test_a_shorter_line_leaves_nothing_of_a_longer_one(tmp_path):
    sign = Sign(tmp_path / "act.alive")
    sign.show(1, "long words " * 30)
    sign.show(2, "short")
    assert read_sign(sign.file) == (2.0, "short")


class Kept:
    """A real worker under its keeper, behind a proxy to the tests' Valkey."""

    def __init__(self, home: Path, proxy: Proxy, redis_url: str, database_url: str) -> None:
        self.proxy = proxy
        self.database_url = database_url
        self.client = connect(redis_url)
        self.app = Celery(broker=redis_url)
        self.said: list[str] = []
        told = {
            "MILEPOST_REDIS_URL": f"{redis_url.rpartition(':')[0]}:{proxy.port}/0",
            "MILEPOST_DATABASE_URL": database_url,
            "MILEPOST_SECRET_KEY": "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
        }
        command = [sys.executable, "-m", "celery", "-A", "workers.celery", "worker", "-Q", INGEST_LIVE, "-c", "1"]
        self.process = Supervised(
            "worker",
            [*command, "-n", "worker@%h", "--without-gossip", "--without-mingle"],
            home,
            silent_seconds=SILENT_SECONDS,
            environ=dict(os.environ) | told | {"PYTHONPATH": str(ROOT)},
        )
        self.running = self.process.start(subprocess.PIPE)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.running.stdout:
            self.said.append(line.decode(errors="replace"))

    @property
    def ends(self) -> list[str]:
        return [line for line in self.said if line.startswith("keep: ")]

    def consumes(self) -> bool:
        """Whether a message given to it now is stored."""
        message = Intaken(new_id(), "nobody", "", LIVE, now(), "0" * 32, b"-")
        self.client.xadd(STREAM.format(lane=LIVE), message.fields())
        self.app.send_task("ingest", args=[LIVE], queue=INGEST_LIVE, ignore_result=True)
        return eventually(lambda: self.has_stored(message), 60)

    def is_busy(self) -> bool:
        """Whether a task runs."""
        return any((self.app.control.inspect(timeout=5, limit=1).active() or {}).values())

    def has_stored(self, message: Intaken) -> bool:
        with psycopg.connect(self.database_url) as connection:
            return bool(connection.execute("select 1 from messages where id = %s", [message.id]).fetchone())

    def stop(self) -> None:
        self.process.stop()
        self.reader.join()
        self.running.stdout.close()
        self.client.close()


@pytest.fixture
def worker(tmp_path: Path, clean: None, redis_url: str, database_url: str) -> Iterator[Kept]:
    with Proxy(redis_url) as proxy:
        kept = Kept(tmp_path, proxy, redis_url, database_url)
        try:
            assert kept.consumes(), kept.said
            yield kept
        finally:
            kept.stop()


def was_started_again(worker: Kept, before: int) -> bool:
    return worker.process.wait_for_pid(other_than=before, seconds=60) not in (0, before)


@pytest.mark.requirement("X20", "M118")
def test_a_worker_that_stands_still_is_started_again_and_consumes(worker):
    before = worker.process.pid
    os.kill(before, signal.SIGSTOP)
    assert was_started_again(worker, before)
    assert worker.consumes(), worker.said
    (end,) = worker.ends
    assert end.startswith(f"keep: worker made no progress for {SILENT_SECONDS} s (it said: ")
    entry = json.dumps(["milepost_restarts_total", ["process", "worker"], ["reason", "silent"]], separators=(",", ":"))
    assert eventually(lambda: worker.client.hget(ACCOUNT, entry) == b"1")


@pytest.mark.requirement("X20", "M118")
def test_a_worker_that_lives_and_stopped_consuming_is_started_again_and_consumes(worker):
    before = worker.process.pid
    ((answer,),) = (
        a.values() for a in worker.app.control.cancel_consumer(INGEST_LIVE, reply=True, timeout=10, limit=1)
    )
    assert "ok" in answer
    assert eventually(lambda: not worker.is_busy())  # a task that still gathers would take the message
    assert worker.consumes(), worker.said
    assert worker.process.pid != before
    (end,) = worker.ends
    assert f"now: {INGEST_LIVE}" in end


@pytest.mark.requirement("X20", "M134")
def test_a_worker_whose_broker_is_away_is_not_started_again_for_it(worker):
    before = worker.process.pid
    worker.proxy.away = True
    time.sleep(SILENT_SECONDS * 1.6)
    assert worker.process.pid == before
    worker.proxy.away = False
    assert worker.consumes(), worker.said
    assert (worker.process.pid, worker.ends) == (before, [])
