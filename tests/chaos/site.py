"""One Milepost with all its processes, a stand-in for Odoo and carriers' line to it, on a folder of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import redis
from redis.exceptions import RedisError
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.commands.up import Up
from config.embedded.folder import free_port
from config.queues import LANES
from shipments.store.database import make_engine
from shipments.store.intake import Intake
from shipments.store.waiting import count_waiting
from tests.chaos import courier
from tests.chaos.odoo_state import WATCHED
from tests.chaos.orders import Order, fill
from tests.chaos.policy import write_policy
from tests.fakes.carriers import SECRETS
from tests.fakes.odoo import FakeOdoo
from tests.fakes.proxy import Proxy

DISK = "448m"
OURS = ("MILEPOST_", "ODOO_", "SENTRY_", "CARRIER_")

OVERDUE = "select count(*) from effects where again_at < now() + interval '1 minute'"


@dataclass
class Site:
    """disk: where Valkey writes, if that is a disk of its own which can be filled."""

    up: Up
    odoo: FakeOdoo
    to_odoo: Proxy
    to_web: Proxy
    engine: Engine
    valkey: redis.Redis
    disk: Path | None

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def pid_of(self, name: str) -> int:
        """Of a process of the Procfile, of `valkey` or of `postgres`; 0 while there is none."""
        return self.up.servers.pid_of(name) if name in ("valkey", "postgres") else self.up.pids[name]

    def waiting(self) -> dict[str, int]:
        """What is not done yet, as far as there is any. Streams first: what leaves them is in PostgreSQL by then."""
        intake = Intake(self.valkey)
        found = {f"in stream {lane}": intake.length(lane) for lane in LANES}
        with self.engine.connect() as connection:
            found |= count_waiting(connection)
        found["tasks overdue within a minute"] = int(self.rows(OVERDUE)[0][0])
        return {name: count for name, count in found.items() if count}

    def settle(self, seconds: float) -> dict[str, int] | None:
        """Waits until nothing waits: None; or what still waits when the time is over."""
        deadline = time.monotonic() + seconds
        left: dict[str, int] = {"servers away": 1}
        while time.monotonic() < deadline:
            with suppress(SQLAlchemyError, RedisError, OSError):
                left = self.waiting()
                if not left:
                    return None
            time.sleep(0.2)
        return left


@contextmanager
def running(
    home: Path,
    orders: int,
    start: datetime,
    extra: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = print,
) -> Iterator[tuple[Site, list[Order]]]:
    """A Milepost that is up, and the orders in its Odoo, the same ones every time, promised some days after `start`."""
    with ExitStack() as stack:
        disk = stack.enter_context(own_disk(home / "valkey"))
        odoo = stack.enter_context(FakeOdoo())
        filled = fill(odoo, orders, start)
        odoo.store.watched |= WATCHED
        to_odoo = stack.enter_context(Proxy(odoo.url))
        environ = write_environ(home, odoo.environ() | {"ODOO_URL": to_odoo.url} | dict(extra or {}))
        set_up(environ)
        up = stack.enter_context(Up(environ, progress=progress))
        to_web = stack.enter_context(Proxy(up.web_url))
        engine = make_engine(up.settings.database_url)
        stack.callback(engine.dispose)
        valkey = stack.enter_context(redis.Redis.from_url(up.settings.redis_url, socket_timeout=5))
        yield Site(up, odoo, to_odoo, to_web, engine, valkey, disk), filled


def set_up(environ: Mapping[str, str]) -> None:
    """`milepost odoo setup` by its command, since it goes by the policy of its process."""
    milepost = Path(sys.executable).with_name("milepost")
    subprocess.run([milepost, "odoo", "setup"], env=dict(environ), check=True, stdout=subprocess.DEVNULL)


def write_environ(home: Path, extra: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what would lead to somebody's real servers; the policy it names is written into that folder."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    secrets = SECRETS | {courier.NAME: courier.SECRET}
    environ |= {f"CARRIER_{name.upper()}_SECRETS": secret for name, secret in secrets.items()}
    environ |= {"MILEPOST_SOURCES": str(courier.SOURCES), "MILEPOST_POLICY": str(write_policy(home / "policy.toml"))}
    environ |= {"MILEPOST_HOME": str(home), "MILEPOST_PORT": str(free_port())}
    return environ | {"MILEPOST_FLOWER_PORT": str(free_port()), "ODOO_TIMEOUT_SECONDS": "10"} | dict(extra)


@contextmanager
def own_disk(folder: Path) -> Iterator[Path | None]:
    """A small disk in memory mounted there; None where we may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", str(folder)]
    try:
        mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    try:
        yield folder if mounted else None
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=False)
