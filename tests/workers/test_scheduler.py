"""Beat wakes politely, several beats wake as one, and a beat that hangs shows it."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from celery.beat import ScheduleEntry

from config.embedded.keep import ALIVE, read_sign
from tests.eventually import eventually
from workers import scheduler
from workers.beat import SCHEDULE
from workers.celery import app

ROOT = Path(__file__).parents[2]
QUEUE = "act"


@pytest.fixture
def make_beat(monkeypatch: pytest.MonkeyPatch, client: redis.Redis) -> Callable[[], scheduler.PoliteScheduler]:
    monkeypatch.setattr(scheduler, "redis_client", lambda: client)

    def make() -> scheduler.PoliteScheduler:
        beat = scheduler.PoliteScheduler(app, lazy=True)
        monkeypatch.setattr(beat, "_show_life", lambda: None)
        return beat

    return make


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    calls: list[str] = []
    monkeypatch.setattr(scheduler, "wake", lambda task, queue, *args: calls.append(task))
    return calls


def act_entry() -> ScheduleEntry:
    return ScheduleEntry(name="act", task="act", schedule=2, options={"queue": QUEUE}, app=app)


@pytest.mark.parametrize(("waiting", "expected"), [(0, ["act"]), (1, ["act"]), (2, []), (500, [])])
def test_a_stage_is_woken_unless_two_wake_ups_wait(client, make_beat, woken, waiting, expected):
    if waiting:
        client.rpush(QUEUE, *range(waiting))
    beat = make_beat()
    beat.tick()
    beat.apply_entry(act_entry())
    assert woken == expected


def test_a_wake_up_never_expires():
    """Celery compares the time with the worker's own clock, and clocks are an hour off."""
    assert all("expires" not in entry["options"] for entry in SCHEDULE.values())


@pytest.mark.requirement("B5", "X20")
def test_a_beat_that_was_frozen_while_another_took_over_wakes_nobody(client, make_beat, woken):
    frozen, other = make_beat(), make_beat()
    frozen.tick()
    client.delete(scheduler.LEASE)  # its time is over
    other.tick()
    frozen.tick()
    frozen.apply_entry(act_entry())
    assert woken == []
    other.tick()
    other.apply_entry(act_entry())
    assert woken == ["act"]


def test_a_lease_is_renewed_by_its_holder_alone(client, make_beat):
    holder, other = make_beat(), make_beat()
    holder.tick()
    client.pexpire(scheduler.LEASE, 1000)
    other.tick()
    assert client.pttl(scheduler.LEASE) <= 1000
    holder.tick()
    assert client.pttl(scheduler.LEASE) > 1000


def test_while_redis_is_away_beat_waits_for_nobody_and_wakes_nobody(monkeypatch, make_beat, woken):
    beat = make_beat()
    beat.tick()
    away = redis.Redis(port=1, socket_connect_timeout=0.2)
    monkeypatch.setattr(scheduler, "redis_client", lambda: away)
    beat.tick()
    beat.apply_entry(act_entry())
    assert woken == []


class Beats:
    """Real beats in processes of their own, on the tests' Valkey, each with a file for its sign of life."""

    def __init__(self, folder: Path, redis_url: str) -> None:
        self.folder = folder
        self.redis_url = redis_url
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "celery", "-A", "workers.celery", "beat", "--pidfile="]
        log = self.folder / f"{len(self.started)}.log"
        environ = dict(os.environ) | {"MILEPOST_REDIS_URL": self.redis_url, ALIVE: str(log.with_suffix(".alive"))}
        with log.open("wb") as output:
            self.started.append(subprocess.Popen(command, cwd=ROOT, env=environ, stderr=output, stdout=output))
        return self.started[-1]

    def said(self, number: int) -> str:
        return (self.folder / f"{number}.log").read_text()

    def stop(self) -> None:
        for process in self.started:
            process.send_signal(signal.SIGCONT)
            process.kill()
            process.wait()


@pytest.fixture
def beats(tmp_path: Path, redis_url: str, clean: None) -> Iterator[Beats]:
    started = Beats(tmp_path, redis_url)
    yield started
    started.stop()


def holder_of(client: redis.Redis) -> int:
    """The process id of the beat that holds the lease; 0 if none does."""
    token = client.get(scheduler.LEASE)
    return int(token.split(b":")[1]) if token else 0


@pytest.mark.requirement("B5", "X20", "M118")
def test_of_two_beats_one_wakes_and_the_other_takes_over_when_it_is_killed(client, beats):
    first = beats.start()
    assert eventually(lambda: holder_of(client) == first.pid)
    second = beats.start()
    assert eventually(lambda: "this one stands by" in beats.said(1))
    first.kill()
    assert eventually(lambda: holder_of(client) == second.pid)
    client.delete(*{entry["options"]["queue"] for entry in SCHEDULE.values()})
    assert eventually(lambda: client.llen(QUEUE) > 0), "the second wakes"
    third = beats.start()
    assert eventually(lambda: "this one stands by" in beats.said(2))
    second.send_signal(signal.SIGSTOP)
    assert eventually(lambda: holder_of(client) == third.pid)
    second.send_signal(signal.SIGCONT)
    assert eventually(lambda: "this one stands by" in beats.said(1).partition("this beat wakes")[2])
    assert holder_of(client) == third.pid


@pytest.mark.requirement("X20")
def test_a_beat_shows_that_it_gets_on(client, beats):
    beats.start()
    file = beats.folder / "0.alive"
    assert eventually(lambda: read_sign(file)[1].startswith("this beat wakes"))
    before, _ = read_sign(file)
    assert eventually(lambda: read_sign(file)[0] > before)
