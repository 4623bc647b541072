"""A server that does nothing but answer 202: what the load generator can reach at most on this machine."""

import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

ANSWER = b"HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}"


@contextmanager
def trivial_server() -> Iterator[int]:
    """Its port, while it runs in a process of its own."""
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.trivial"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.terminate()
        process.wait()


def serve(listener: socket.socket) -> None:
    """Takes each request for whole when as many bytes as it announces are there; no pipelining."""
    selector = selectors.DefaultSelector()
    selector.register(listener, selectors.EVENT_READ)
    waiting: dict[socket.socket, bytes] = {}
    while True:
        for key, _ in selector.select():
            ready = key.fileobj
            if ready is listener:
                connection, _ = listener.accept()
                selector.register(connection, selectors.EVENT_READ)
                waiting[connection] = b""
            else:
                _answer(ready, waiting, selector)  # type: ignore[arg-type]


def _answer(connection: socket.socket, waiting: dict[socket.socket, bytes], selector: selectors.BaseSelector) -> None:
    received = connection.recv(65536)
    if not received:
        selector.unregister(connection)
        connection.close()
        return
    waiting[connection] += received
    head, blank, body = waiting[connection].partition(b"\r\n\r\n")
    if blank and len(body) >= int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
        waiting[connection] = b""
        connection.sendall(ANSWER)


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0)) as listening:
        print(listening.getsockname()[1], flush=True)
        serve(listening)
