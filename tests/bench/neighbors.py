"""What other senders do to a carrier's answer time: slow ones, half-open connections, and large bodies."""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from carriers import find_carrier
from tests.bench.doors import answer_time
from tests.bench.figures import Figure, Report
from tests.bench.sides import Milepost
from tests.bench.size import Size
from tests.fakes.carriers import SECRETS

RATE = 100
LARGE_P99_BAR_MS = 250
SLOW, HALF_OPEN, LARGE = 200, 1_000, 4
OTHER = "ups"
LARGE_BYTES = 3_000_000
DRIP_SECONDS = 0.5


def neighbors(report: Report, size: Size, milepost: Milepost) -> None:
    """p99 of one carrier's answers at RATE a second, while another one behaves badly."""
    answer_time(report, size, milepost, RATE, "answer p99, alone")
    with _slow_bodies(milepost.port):
        name = f"answer p99, beside {SLOW} senders of a byte every {DRIP_SECONDS:g} s"
        answer_time(report, size, milepost, RATE, name)
    with _half_open(milepost.port):
        answer_time(report, size, milepost, RATE, f"answer p99, beside {HALF_OPEN:,} half-open connections")
    with _large_bodies(milepost.port) as posted:
        began = time.monotonic()
        name = f"answer p99, beside {LARGE} senders of {LARGE_BYTES / 1e6:g} MB bodies, as fast as they are taken"
        answer_time(report, size, milepost, RATE, name, LARGE_P99_BAR_MS)
        taken = len(posted) / (time.monotonic() - began)
    report.add(Figure("such bodies taken meanwhile", taken, unit="/s"))


@contextmanager
def _slow_bodies(port: int) -> Iterator[None]:
    """Senders that announce a body and let it drip."""
    head = f"POST /in/{OTHER} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 3000\r\n\r\n".encode()
    with _connections(port, SLOW, head) as senders, _beside(lambda: _drip(senders)):
        yield


@contextmanager
def _half_open(port: int) -> Iterator[None]:
    """Connections whose headers never end."""
    with _connections(port, HALF_OPEN, b"POST /in/ups HTTP/1.1\r\nhost: 127"):
        yield


@contextmanager
def _connections(port: int, count: int, said: bytes) -> Iterator[list[socket.socket]]:
    opened: list[socket.socket] = []
    try:
        for _ in range(count):
            opened.append(socket.create_connection(("127.0.0.1", port), timeout=10))
            opened[-1].sendall(said)
        yield opened
    finally:
        for one in opened:
            one.close()


def _drip(senders: list[socket.socket]) -> None:
    for sender in senders:
        with suppress(OSError):
            sender.sendall(b" ")
    time.sleep(DRIP_SECONDS)


@contextmanager
def _large_bodies(port: int) -> Iterator[list[int]]:
    """Another carrier's messages, properly signed; the statuses they were answered with."""
    carrier = find_carrier(OTHER)
    assert carrier is not None
    body = b'{"padding": "' + b"x" * LARGE_BYTES + b'"}'
    proof = carrier.proof.prove(body, SECRETS[OTHER], datetime.now(UTC)) | {"content-type": "application/json"}
    answered: list[int] = []

    def post() -> None:
        sender = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        sender.request("POST", f"/in/{OTHER}", body, proof)
        answered.append(sender.getresponse().status)
        sender.close()

    with _beside(*[post] * LARGE):
        yield answered
    if not set(answered) <= {http.client.OK, http.client.ACCEPTED}:
        raise RuntimeError(f"large bodies were answered with {sorted(set(answered))}")


@contextmanager
def _beside(*work: Callable[[], None]) -> Iterator[None]:
    """Each again and again in a thread of its own, until the block ends."""
    over = threading.Event()

    def run(one: Callable[[], None]) -> None:
        while not over.is_set():
            one()

    threads = [threading.Thread(target=run, args=(one,), daemon=True) for one in work]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
