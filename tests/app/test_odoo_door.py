"""Where Odoo's automation rule rings."""

import logging
import threading

import pytest
import redis
from flask.testing import FlaskClient

from app import odoo
from app.factory import create_app
from app.receiver.keeper import Keeper
from config.settings import BadSettings, load_settings
from workers import enqueue

WORD, OLD_WORD = "a-word-of-20-letters-new", "a-word-of-20-letters-old"
BODY = {"_model": "stock.picking", "_id": 7, "_action": "Milepost(#1)"}


class Woken:
    """Counts the wake-ups and tells when one came."""

    def __init__(self) -> None:
        self.count = 0
        self.again = threading.Semaphore(0)

    def __call__(self) -> None:
        self.count += 1
        self.again.release()

    def wait(self) -> bool:
        return self.again.acquire(timeout=10)


def open_door(woken: Woken, words: str = f"{WORD},{OLD_WORD}", gap_seconds: float = 0.01) -> FlaskClient:
    settings = load_settings({"ODOO_WEBHOOK_WORD": words})
    keeper = Keeper(None, None, max_length=1, wake=lambda lane: None)
    return create_app(settings, keeper=keeper, carriers=[], bell=odoo.Bell(woken, gap_seconds)).test_client()


@pytest.mark.requirement("M50")
def test_a_ring_with_the_word_wakes_correlate_whatever_its_body_says() -> None:
    for body in (b'{"_model": "stock.picking"}', b"", b"\xff not json"):
        woken = Woken()
        response = open_door(woken).post(f"/odoo/changed/{WORD}", data=body)
        assert (response.status_code, response.json) == (202, {"woken": "correlate"})
        assert woken.wait()


def test_while_the_word_is_changed_the_old_one_opens_too() -> None:
    woken = Woken()
    assert open_door(woken).post(f"/odoo/changed/{OLD_WORD}", json=BODY).status_code == 202
    assert woken.wait()


@pytest.mark.parametrize("word", ["wrong", WORD[:-1], WORD + "x", "ü" * 20, "%00"])
def test_without_the_word_there_is_nothing_there_and_nobody_is_woken(word: str) -> None:
    woken = Woken()
    assert open_door(woken).post(f"/odoo/changed/{word}", json=BODY).status_code == 404
    assert woken.count == 0


def test_where_no_word_is_set_the_door_is_closed() -> None:
    woken = Woken()
    assert open_door(woken, words="").post("/odoo/changed/", json=BODY).status_code == 404
    assert open_door(woken, words="").post(f"/odoo/changed/{WORD}", json=BODY).status_code == 404


def test_only_a_post_rings() -> None:
    assert open_door(Woken()).get(f"/odoo/changed/{WORD}").status_code == 405


def test_a_large_body_is_refused() -> None:
    woken = Woken()
    assert open_door(woken).post(f"/odoo/changed/{WORD}", data=b"x" * (odoo.MOST_BYTES + 1)).status_code == 413
    assert woken.count == 0


@pytest.mark.requirement("M75", "M85")
def test_a_thousand_rings_while_one_is_answered_are_one_more_wake_up_and_none_is_lost() -> None:
    begun, go_on, count = threading.Event(), threading.Semaphore(0), [0]

    def wake() -> None:
        count[0] += 1
        begun.set()
        go_on.acquire(timeout=10)

    bell = odoo.Bell(wake, gap_seconds=0)
    bell.ring()
    assert begun.wait(10)
    begun.clear()
    for _ in range(1000):
        bell.ring()
    go_on.release()
    assert begun.wait(10)
    begun.clear()
    go_on.release()
    assert not begun.wait(0.2)
    assert count == [2]


def test_a_bell_that_could_not_wake_rings_again_the_next_time(caplog: pytest.LogCaptureFixture) -> None:
    woken = Woken()

    def wake() -> None:
        woken()
        raise OSError("the broker is away")

    bell = odoo.Bell(wake, gap_seconds=0)
    for _ in range(2):
        bell.ring()
        assert woken.wait()


@pytest.mark.requirement("M75", "M85")
def test_a_worker_that_was_away_finds_one_wake_up_and_not_one_for_each_ring(
    redis_url: str, clean: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    with redis.Redis.from_url(redis_url) as client:

        def send(task: str, queue: str) -> bool:
            sent.append(task)
            return bool(client.lpush(queue, b"{}"))

        monkeypatch.setattr(enqueue, "redis_client", lambda: client)
        monkeypatch.setattr(enqueue, "wake", send)
        for _ in range(3):
            assert enqueue.wake_correlate()
        assert sent == ["correlate"]
        client.delete("correlate")
        enqueue.wake_correlate()
    assert sent == ["correlate"] * 2


def test_the_word_is_in_no_log_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    open_door(Woken()).post(f"/odoo/changed/{WORD}", json=BODY)
    assert WORD not in caplog.text


def test_a_word_that_could_be_guessed_is_refused_at_boot() -> None:
    with pytest.raises(BadSettings, match="20 or more letters"):
        load_settings({"ODOO_WEBHOOK_WORD": "short"})
