"""The home folder: one owner at a time, secrets only the owner reads, ports that stay the same."""

import fcntl
import os
import random
import secrets
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from config.embedded.fault import EmbeddedFault

PORTS = range(21000, 29000)
"""Below the range from which Linux and macOS take ports for outgoing connections, so a server that is started again
after a crash finds its port free."""

LEFTOVERS_SECONDS = 15
"""How long the servers of an owner that was killed may take to notice and end."""


class Home:
    """A folder and the lock on it. Open from `take` to `release`; children hold the lock too if they inherit `lock`."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.lock = -1

    def take(self) -> None:
        """Makes the folder and locks it. Raises EmbeddedFault if somebody else has it, or it cannot be written."""
        with in_words(self.path):
            # Root's PostgreSQL runs as nobody and has to pass through; what is secret has its own mode.
            mode = 0o711 if os.geteuid() == 0 else 0o700
            self.path.mkdir(mode=mode, parents=True, exist_ok=True)
            for name in ("run", "log", "keys"):
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
            self.lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._lock()
            os.ftruncate(self.lock, 0)
            os.pwrite(self.lock, f"{os.getpid()}\n".encode(), 0)
        except BaseException:
            self.release()
            raise

    def release(self) -> None:
        """Gives up our hold. The folder stays locked while a child lives that inherited it."""
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1

    def _lock(self) -> None:
        deadline = time.monotonic() + LEFTOVERS_SECONDS
        while True:
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                owner = self._owner()
                if is_alive(owner) or time.monotonic() > deadline:
                    raise EmbeddedFault(
                        f"Milepost already runs in {self.path} (process {owner or 'unknown'}): stop it, "
                        "or set MILEPOST_HOME to another folder."
                    ) from None
                time.sleep(0.1)

    def _owner(self) -> int:
        text = os.pread(self.lock, 20, 0).strip()
        return int(text) if text.isdigit() else 0

    def secret(self, name: str, make: Callable[[], str] = lambda: secrets.token_urlsafe(24)) -> str:
        """The secret of that name, made at the first call and kept in a file only the owner reads."""
        return self._kept(self.path / "keys" / name, make)

    def port(self, name: str) -> int:
        """A free port on loopback: the same as last time, unless somebody took it meanwhile."""
        file = self.path / "run" / f"{name}.port"
        kept = self._kept(file, lambda: str(free_port()))
        if kept.isdigit() and is_free("127.0.0.1", int(kept)):
            return int(kept)
        with in_words(self.path):
            file.unlink(missing_ok=True)
        return int(self._kept(file, lambda: str(free_port())))

    def _kept(self, file: Path, make: Callable[[], str]) -> str:
        with in_words(self.path):
            if file.exists() and (kept := file.read_text(encoding="utf-8").strip()):
                return kept
            value = make()
            write_private(file, value)
            return value


def write_private(file: Path, text: str) -> None:
    """Writes a file whole or not at all, for its owner only."""
    unfinished = file.with_name(file.name + ".new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(file)


@contextmanager
def in_words(folder: Path) -> Iterator[None]:
    """Says in one sentence what the operating system refuses in that folder."""
    try:
        yield
    except OSError as fault:
        raise EmbeddedFault(
            f"The folder {folder} cannot be used ({fault.strerror or fault}): make it writable and give it room, "
            "or set MILEPOST_HOME to another folder."
        ) from fault


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    for port in random.sample(PORTS, 200):
        if is_free("127.0.0.1", port):
            return port
    raise EmbeddedFault(f"No free port was found on 127.0.0.1 between {PORTS.start} and {PORTS.stop}.")


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    return not listening_fault(host, port)


def listening_fault(host: str, port: int) -> str:
    """Why no server could listen there now, in the operating system's words; empty if one could."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as fault:
            return fault.strerror or str(fault)
    return ""


def is_alive(pid: int) -> bool:
    """Whether a process of that number exists."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
