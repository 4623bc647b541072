"""The two sides: their processes on the same Valkey and PostgreSQL, started, asked how far they are, and ended."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self
from urllib.request import urlopen

import psutil
import psycopg
from redis import Redis

from app.commands.up import ask, read_procfile
from config.embedded.servers import Servers
from config.embedded.supervised import Supervised
from config.metrics import POST_EVERY_SECONDS
from shipments.clock import first_id, now
from shipments.store.migrate import migrate
from tests.bench.databases import replace_database
from tests.bench.posts import CARRIER
from tests.fakes.carriers import SECRETS

ROOT = Path(__file__).parents[2]
DOOR = ("web",)
READY_SECONDS = 60
THREADS = "--workers 2 --threads 4"
"""Eight threads. In two processes they took more than twice what they took in one; its documentation wants several."""

FASTEST = 5_000
"""Neither side gets more done in a second: nobody need ask before."""

KEY = "bench:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.05)


class Side:
    """Processes with one environment, from `start` to `stop`. port: where its door is."""

    def __init__(self, name: str, home: Path, database_url: str, environ: Mapping[str, str]) -> None:
        self.name = name
        self.port = free_port()
        self.database_url = database_url
        self.processes: dict[str, Supervised] = {}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
        self.environ = {"PATH": path, "PYTHONPATH": str(ROOT), "HOME": str(home), "PYTHONUNBUFFERED": "1", **environ}
        self._home = home
        self._log = home / f"{name}.log"

    def start(self, commands: Mapping[str, str]) -> None:
        """Starts shell commands, by name, that end with us; what they write goes to a file in the home folder."""
        for name, line in commands.items():
            command = ["/bin/sh", "-c", line]
            process = Supervised(f"{self.name}-{name}", command, self._home, environ=self.environ)
            self.processes[name] = process
            with self._log.open("ab") as log:
                process.start(log)
            if not process.wait_for_pid():
                raise TimeoutError(f"{self.name}'s {name} does not start; see {self._log}")

    def stop(self) -> None:
        for process in self.processes.values():
            process.ask_to_stop()
        for process in self.processes.values():
            process.stop()
        self.processes.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def count(self, query: str) -> int:
        with psycopg.connect(self.database_url) as connection:
            return _first(connection, query)

    def wait_until_open(self) -> None:
        def is_open() -> bool:
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        wait_for(is_open, READY_SECONDS, f"{self.name} to listen; see {self._log}")

    def stored_from_now(self) -> str:
        """The query that counts what is stored from now on."""
        raise NotImplementedError

    def wait_until_done(self, query: str, expected: int, seconds: float = 600) -> None:
        """Until the query counts so many. Counting is work too, so it is asked for sparingly."""
        deadline = time.monotonic() + seconds
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            while (count := _first(connection, query)) < expected:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"waited {seconds:.0f} s for {self.name} to reach {expected}; see {self._log}")
                time.sleep(min(1, max(0.02, (expected - count) / FASTEST)))

    def wait_until_idle(self, names: Sequence[str]) -> None:
        """Until those processes have started up and use next to no CPU."""

        def spent() -> float:
            return sum(sum(p.cpu_times()[:2]) for name in names for p in family(self.processes[name].pid))

        def rests() -> bool:
            before = spent()
            time.sleep(0.5)
            return before > 0.5 and spent() - before < 0.05

        wait_for(rests, READY_SECONDS, f"{self.name} to start; see {self._log}")


class Milepost(Side):
    """The product, as its Procfile starts it. Without odoo_environ effects are decided and wait."""

    STORED = "select count(*) - (select count(*) from unsettled) from messages where state <> 'received'"
    """Messages of which everything that follows is there as well: what is put off counts as not stored."""

    def stored_from_now(self) -> str:
        return f"{self.STORED} and id >= '{first_id(now())}'"

    def __init__(self, home: Path, servers: Servers, odoo_environ: Mapping[str, str] | None = None) -> None:
        environ = {
            "MILEPOST_HOME": str(home),
            "MILEPOST_REDIS_URL": servers.redis_url,
            "MILEPOST_DATABASE_URL": servers.database_url,
            "MILEPOST_SECRET_KEY": KEY,
            "MILEPOST_FLOWER_PORT": str(free_port()),
            "MILEPOST_FLOWER_AUTH": "bench:bench",
            **{f"CARRIER_{name.upper()}_SECRETS": secret for name, secret in SECRETS.items()},
            **(odoo_environ or {}),
        }
        super().__init__("milepost", home, servers.database_url, environ)
        self.environ["MILEPOST_PORT"] = str(self.port)

    def prepare(self) -> None:
        replace_database(self.database_url)
        migrate(self.database_url)

    def start_door(self) -> None:
        self.start({name: line for name, line in read_procfile().items() if name in DOOR})
        wait_for(lambda: ask("127.0.0.1", self.port, "/livez") == "", READY_SECONDS, "Milepost's door")

    def start_hands(self) -> None:
        hands = {name: line for name, line in read_procfile().items() if name not in DOOR}
        self.start(hands)
        self.wait_until_idle([name for name in hands if name in ("worker", "act", "bulk")])

    def odoo_calls(self) -> int:
        """How often Odoo was called, by Milepost's own metrics, once no task is left to add to them."""
        time.sleep(POST_EVERY_SECONDS * 3)
        with urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return int(sum(float(line.split()[-1]) for line in lines if line.startswith("milepost_odoo_calls_total")))

    def ingest_memory(self) -> float:
        """The largest resident memory of an ingest worker now, in MB."""
        children = psutil.Process(self.processes["worker"].pid).children(recursive=True)
        return max(child.memory_info().rss for child in children) / 1e6


class Textbook(Side):
    """gunicorn and a Celery worker, as their documentation has them, on a database of their own."""

    STORED = "select count(*) from events"

    def stored_from_now(self) -> str:
        return f"{self.STORED} where id > {self.count('select coalesce(max(id), 0) from events')}"

    def __init__(self, home: Path, servers: Servers) -> None:
        database = servers.database_url.rsplit("/", 1)[0] + "/textbook"
        broker = servers.redis_url.rsplit("/", 1)[0] + "/1"
        environ = {"DATABASE_URL": database, "BROKER_URL": broker, "FEDEX_SECRET": SECRETS[CARRIER]}
        super().__init__("textbook", home, database, environ)

    def prepare(self) -> None:
        replace_database(self.database_url)
        subprocess.run([sys.executable, "-m", "tests.bench.textbook.models"], cwd=ROOT, env=self.environ, check=True)

    def start_door(self) -> None:
        options = f"--bind 127.0.0.1:{self.port} --worker-class gthread {THREADS} --keep-alive 60"
        self.start({"web": f"exec gunicorn {options} tests.bench.textbook.web:app"})
        self.wait_until_open()

    def start_hands(self) -> None:
        worker = "exec celery -A tests.bench.textbook.tasks worker -c 2 --without-gossip --without-mingle"
        self.start({"worker": worker})
        self.wait_until_idle(["worker"])


def _first(connection: psycopg.Connection, query: str) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


@contextmanager
def synced_every_second(redis: Redis) -> Iterator[None]:
    """Valkey as the textbook design would have it: faster, and a power cut takes the last second's messages."""
    redis.config_set("appendfsync", "everysec")
    try:
        yield
    finally:
        redis.config_set("appendfsync", "always")


def family(pid: int) -> list[psutil.Process]:
    """The process and all below it."""
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]
