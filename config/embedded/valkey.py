"""The embedded Valkey: every write is on disk before it is answered."""

from pathlib import Path

import redis

from config.embedded.binaries import find_valkey
from config.embedded.folder import Home, in_words, write_private

NAME = "valkey"


class Valkey:
    """How the server is started in that folder, and whether it answers."""

    name = NAME
    title = "Valkey"
    stop_signal = "TERM"

    def __init__(self, home: Home) -> None:
        self._home = home
        self._port = home.port(NAME)
        self._password = home.secret("valkey-password")

    @property
    def url(self) -> str:
        """Where the server is, with its password."""
        return f"redis://:{self._password}@127.0.0.1:{self._port}/0"

    def prepare(self) -> list[str]:
        """Writes what the server needs to be told, and returns the command that starts it."""
        data = self._home.path / NAME
        with in_words(self._home.path):
            data.mkdir(mode=0o700, exist_ok=True)
            # In a file, since a password among the arguments is shown by ps.
            file = self._home.path / "run" / "valkey.conf"
            write_private(file, self._configuration(data))
        return [str(find_valkey()), str(file)]

    def _configuration(self, data: Path) -> str:
        return "\n".join((
            "bind 127.0.0.1",
            f"port {self._port}",
            "protected-mode yes",
            f"requirepass {self._password}",
            f'dir "{data}"',
            "appendonly yes",
            "appendfsync always",
            "auto-aof-rewrite-min-size 256mb",
            'save ""',
            "aof-load-truncated yes",
            "maxmemory-policy noeviction",
            "daemonize no",
        ))  # fmt: skip

    def answers(self) -> bool:
        """Whether it is up and has read its data."""
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2, socket_connect_timeout=2) as client:
                return bool(client.ping())
        except redis.RedisError:
            return False

    def finish(self) -> None:
        """Nothing is left to do once it answers."""
