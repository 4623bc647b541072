"""The load generator: a process of its own that posts prepared requests over kept connections.

    python -m tests.bench.load PORT [--rate N] [--seconds S]

posts each request that comes in on standard input once to 127.0.0.1, as fast as it is answered or N a second, for S
seconds at most, and prints a Load as JSON. With --rate a request's time counts from when it was due, so a server that
falls behind shows. Nothing of it goes through a file: the disk is the server's, which waits for it at every answer.
"""

import argparse
import json
import selectors
import socket
import struct
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import psutil

CONNECTIONS = 128
"""Carriers post from many machines at once. With sixteen the connections were the limit of a server that waits for its
disk, not the server; the textbook design takes as much from sixteen as from these."""
GIVE_UP_SECONDS = 300
_SIZE = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it. Times in seconds; p99 over the accepted; began: when the first was posted (time.monotonic).

    stolen: the share of the processors' time that the host of this machine gave to others meanwhile, 0 to 1.
    """

    accepted: int
    refused: int
    seconds: float
    p99: float
    began: float
    stolen: float = 0.0

    @property
    def per_second(self) -> float:
        return self.accepted / self.seconds


def run_load(port: int, requests: Iterable[bytes], *, rate: float = 0, seconds: float = GIVE_UP_SECONDS) -> Load:
    """Posts them from another process and waits for it."""
    command = [sys.executable, "-m", "tests.bench.load", str(port), "--rate", str(rate), "--seconds", str(seconds)]
    posted = b"".join(_SIZE.pack(len(request)) + request for request in requests)
    return Load(**json.loads(subprocess.run(command, input=posted, capture_output=True, check=True).stdout))


class _Poster:
    def __init__(self, port: int, requests: deque[bytes], rate: float, seconds: float) -> None:
        self._address = ("127.0.0.1", port)
        self._requests = requests
        self._rate = rate
        self._selector = selectors.DefaultSelector()
        self._free: list[socket.socket] = []
        self._sent: dict[socket.socket, float] = {}
        self._answers: dict[socket.socket, bytes] = {}
        self._times: list[float] = []
        self._refused = 0
        self._posted = 0
        self._began = time.monotonic()
        self._ends_at = self._began + seconds

    def run(self) -> Load:
        for _ in range(CONNECTIONS):
            self._connect()
        self._began, before = time.monotonic(), psutil.cpu_times()
        while (self._requests and time.monotonic() < self._ends_at) or self._sent:
            self._post()
            for key, _ in self._selector.select(self._pause()):
                self._read(key.fileobj)  # type: ignore[arg-type]
            if time.monotonic() > self._ends_at + 30:
                break
        seconds = time.monotonic() - self._began
        times = sorted(self._times) or [0.0]
        refused = self._refused + len(self._sent)
        return Load(len(self._times), refused, seconds, times[int(len(times) * 0.99)], self._began, _stolen(before))

    def _connect(self) -> None:
        connection = socket.create_connection(self._address, timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(connection, selectors.EVENT_READ)
        self._free.append(connection)

    def _post(self) -> None:
        while self._free and self._requests:
            at = time.monotonic()
            due = self._began + self._posted / self._rate if self._rate else at
            if due > at or at > self._ends_at:
                return
            connection = self._free.pop()
            self._answers[connection], self._sent[connection] = b"", due
            connection.sendall(self._requests.popleft())
            self._posted += 1

    def _pause(self) -> float:
        if not self._rate or not self._free:
            return 1.0
        return max(0.0, self._began + self._posted / self._rate - time.monotonic())

    def _read(self, connection: socket.socket) -> None:
        try:
            received = connection.recv(65536)
        except OSError:
            received = b""
        if not received:
            self._replace(connection)
            return
        answer = self._answers[connection] = self._answers.get(connection, b"") + received
        if is_whole(answer):
            due = self._sent.pop(connection)
            if answer.startswith(b"HTTP/1.1 202"):
                self._times.append(time.monotonic() - due)
            else:
                self._refused += 1
            self._free.append(connection)

    def _replace(self, connection: socket.socket) -> None:
        """The server hung up: an answer that was owed will not come."""
        self._selector.unregister(connection)
        connection.close()
        if self._sent.pop(connection, None) is not None:
            self._refused += 1
        else:
            self._free.remove(connection)
        self._connect()


def _stolen(before: Any) -> float:
    since = [now - then for now, then in zip(psutil.cpu_times(), before, strict=True)]
    return float(dict(zip(before._fields, since, strict=True)).get("steal", 0.0) / max(sum(since), 1e-9))


def is_whole(answer: bytes) -> bool:
    """Whether the headers and as many bytes as they announce are there."""
    head, blank, body = answer.partition(b"\r\n\r\n")
    if not blank:
        return False
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(body) >= int(value)
    return True


def read_requests(coming: BinaryIO) -> deque[bytes]:
    found: deque[bytes] = deque()
    while size := coming.read(_SIZE.size):
        found.append(coming.read(*_SIZE.unpack(size)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--rate", type=float, default=0)
    parser.add_argument("--seconds", type=float, default=GIVE_UP_SECONDS)
    given = parser.parse_args()
    load = _Poster(given.port, read_requests(sys.stdin.buffer), given.rate, given.seconds).run()
    print(json.dumps(asdict(load)))


if __name__ == "__main__":
    main()
