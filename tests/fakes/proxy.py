"""A TCP proxy that can be away: what a test puts between Milepost and a server it must not stop itself."""

import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit


class Proxy:
    """Passes connections on to the host and port of a URL, from `with` on.

    away: none is taken, those open are cut. `cut` cuts those open, in the middle of whatever they carry.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "Proxy":
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    @property
    def away(self) -> bool:
        return self._listener is None

    @away.setter
    def away(self, away: bool) -> None:
        if away:
            self._close()
        elif self._listener is None:
            self._listen()

    def cut(self) -> int:
        """Cuts every connection that is open now; how many. New ones are taken as before."""
        ends = list(self._open)
        for end in ends:
            _shut(end)
        self._open -= set(ends)
        return len(ends) // 2

    def _listen(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _close(self) -> None:
        listener, self._listener = self._listener, None
        if listener:
            _shut(listener)
        self.cut()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                inward, _ = listener.accept()
                threading.Thread(target=self._pass_on, args=(inward,), daemon=True).start()

    def _pass_on(self, inward: socket.socket) -> None:
        try:
            outward = socket.create_connection(self._target, timeout=60)
        except OSError:
            inward.close()
            return
        self._open |= {inward, outward}
        threading.Thread(target=self._pump, args=(inward, outward), daemon=True).start()
        self._pump(outward, inward)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                sink.sendall(chunk)
        for end in (source, sink):
            _shut(end)
            self._open.discard(end)


def _shut(end: socket.socket) -> None:
    """Ends it for both sides, also for a thread that waits in it."""
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
