"""Starts the embedded servers in one folder, waits until they answer, and stops them."""

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from config.embedded.fault import EmbeddedFault
from config.embedded.folder import Home, in_words
from config.embedded.postgres import Postgres, why
from config.embedded.supervised import Supervised
from config.embedded.valkey import Valkey

START_SECONDS = 60
"""A PostgreSQL that was killed replays its log before it answers."""

DEATHS = 3
"""After so many in a row a server that is starting will not come up by itself."""


def in_silence(_: str) -> None:
    """Progress that nobody waits for."""


class Servers:
    """The Valkey and the PostgreSQL of one folder. Each is started again on its port, with its data, when it dies."""

    def __init__(self, home: Path | str, *, start_valkey: bool = True, start_postgres: bool = True) -> None:
        self.home = Home(Path(home))
        self._wanted: list[type[Valkey] | type[Postgres]] = []
        self._wanted += [Valkey] if start_valkey else []
        self._wanted += [Postgres] if start_postgres else []
        self._servers: dict[str, Valkey | Postgres] = {}
        self._running: dict[str, Supervised] = {}

    def start(self, progress: Callable[[str], None] = in_silence) -> None:
        """Returns when all of them answer. Raises EmbeddedFault, with nothing left running, if one does not."""
        self.home.take()
        try:
            for kind in self._wanted:
                server = kind(self.home)
                self._servers[server.name] = server
                self._start_one(server, progress)
            for server in self._servers.values():
                self._wait_for(server)
                server.finish()
        except BaseException:
            self.stop()
            raise

    @property
    def redis_url(self) -> str:
        """Where Valkey is, with its password."""
        return self._servers["valkey"].url

    @property
    def database_url(self) -> str:
        """Where PostgreSQL is, with its password."""
        return self._servers["postgres"].url

    def pid_of(self, name: str) -> int:
        """The process id of `valkey` or `postgres`; 0 while it is being started again."""
        return self._running[name].pid

    def stop(self) -> None:
        """Ends what runs, cleanly, and gives the folder up."""
        for running in self._running.values():
            running.ask_to_stop()
        for running in self._running.values():
            running.stop()
        self._running.clear()
        self.home.release()

    def __enter__(self) -> "Servers":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start_one(self, server: Valkey | Postgres, progress: Callable[[str], None]) -> None:
        progress(f"starting {server.title}")
        running = Supervised(
            server.name,
            server.prepare(),
            self.home.path,
            stop_signal=server.stop_signal,
            grace_seconds=30,
            descriptors=(self.home.lock,),
        )
        self._running[server.name] = running
        with in_words(self.home.path), self._log(server.name).open("wb") as log:
            running.start(log)

    def _log(self, name: str) -> Path:
        return self.home.path / "log" / f"{name}.log"

    def _wait_for(self, server: Valkey | Postgres) -> None:
        running = self._running[server.name]
        seen: set[int] = set()
        deadline = time.monotonic() + START_SECONDS
        while not server.answers():
            seen.add(running.pid)
            if len(seen - {0}) >= DEATHS or not running.is_kept or time.monotonic() > deadline:
                said = self._log(server.name).read_text(encoding="utf-8", errors="replace")
                raise EmbeddedFault(
                    f"{server.title} does not start in {self.home.path} ({why(said)}): see {self._log(server.name)}, "
                    "or set MILEPOST_HOME to another folder."
                )
            time.sleep(0.05)
