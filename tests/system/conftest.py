"""All of Milepost running as real processes, with an Odoo behind a proxy: the stand-in, or the one of ODOO_URL."""

import os
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest
import requests
from redis.exceptions import RedisError
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.commands.up import Up
from app.receiver.keeper import connect_briefly
from carriers import find_carrier
from carriers.base import Message
from config.metrics import POST_EVERY_SECONDS
from config.queues import LANES
from demo.deliveries import make_deliveries
from shipments.clock import now
from shipments.delivery import Delivery
from shipments.fold import Dated, dated, fold
from shipments.store.database import make_engine
from shipments.store.intake import Intake
from shipments.store.waiting import count_waiting
from tests.fakes.carriers import SECRETS, Post
from tests.fakes.odoo import FakeOdoo
from tests.fakes.proxy import Proxy
from workers.odoo import setup
from workers.odoo.client import Odoo, connect

REAL = bool(os.environ.get("ODOO_URL"))
FIELDS = ["x_milepost_milestone", "x_milepost_exception", "x_milepost_occurred_at", "x_milepost_location", "write_date"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@dataclass
class System:
    """What a test does to a running Milepost, and what it sees of it from outside."""

    up: Up
    odoo: Odoo
    proxy: Proxy
    engine: Engine

    def post(self, posts: Sequence[Post], threads: int = 8, until_accepted: bool = False) -> list[UUID | None]:
        """Posts webhooks as carriers do, several at once; the ids of those accepted."""
        with requests.Session() as session:
            session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=threads))
            with ThreadPoolExecutor(threads) as pool:
                return list(pool.map(lambda p: self._post(session, p, until_accepted), posts))

    def _post(self, session: requests.Session, post: Post, until_accepted: bool) -> UUID | None:
        """A carrier sends again what was refused."""
        for _ in range(600):
            try:
                answer = session.post(
                    f"{self.up.web_url}/in/{post.carrier}", data=post.body, headers=post.headers, timeout=10
                )
                if answer.ok:
                    return UUID(answer.json()["id"])
            except requests.RequestException:
                pass
            if not until_accepted:
                return None
            time.sleep(0.2)
        raise AssertionError("never accepted")

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def wait_until_settled(self, seconds: float = 120) -> None:
        """Until nothing waits: no message, no news, no parcel, no effect."""
        intake = Intake(connect_briefly(self.up.settings.redis_url))

        def settled() -> bool:
            if any(map(intake.length, LANES)):
                return False
            with self.engine.connect() as connection:
                return not any(count_waiting(connection).values())

        wait_for(settled, seconds, "Milepost to settle")

    def make_deliveries(self, numbers: Sequence[str]) -> dict[str, Delivery]:
        return make_deliveries(self.odoo, numbers)

    def in_odoo(self, deliveries: dict[str, Delivery]) -> dict[str, Any]:
        """Everything that Odoo shows of those deliveries: fields, orders, timeline and open tasks."""
        ids = sorted(d.picking_id for d in deliveries.values())
        orders = sorted({d.order_id for d in deliveries.values() if d.order_id})
        timeline = [("x_picking_id", "in", ids)]
        tasks = [("res_model", "=", "stock.picking"), ("res_id", "in", ids)]
        return {
            "deliveries": self.odoo.call("stock.picking", "read", ids, fields=FIELDS),
            "orders": self.odoo.call("sale.order", "read", orders, fields=FIELDS),
            "timeline": self.odoo.call("x_milepost_event", "search_read", domain=timeline, fields=[], order="id"),
            "tasks": self.odoo.call("mail.activity", "search_read", domain=tasks, fields=["summary"], order="id"),
        }

    def odoo_calls(self) -> int:
        """How often Milepost's workers have called Odoo, by its own metrics, once no task is left to add to them."""
        time.sleep(POST_EVERY_SECONDS * 3)
        lines = requests.get(f"{self.up.web_url}/metrics", timeout=10).text.splitlines()
        return int(sum(float(line.split()[-1]) for line in lines if line.startswith("milepost_odoo_calls_total")))


def wait_for(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Returns when the condition holds; a server that is being started again is no reason to give up."""
    deadline = time.monotonic() + seconds
    while True:
        with suppress(SQLAlchemyError, RedisError, OSError):
            if condition():
                return
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.2)


def expected_milestones(posts: Sequence[Post]) -> dict[str, str]:
    """What the fold says of each number, from the posts alone."""
    told: dict[str, list[Dated]] = defaultdict(list)
    for post in posts:
        carrier = find_carrier(post.carrier)
        assert carrier is not None
        for event in carrier.parse(Message(post.body)).events:
            told[post.number].append(dated(event, now()))
    return {number: fold(entries)[-1].milestone.value for number, entries in told.items()}


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Milepost from its front door to Odoo, on a folder and ports of its own."""
    with FakeOdoo() as fake:
        environ = dict(os.environ) if REAL else dict(os.environ) | fake.environ()
        with Proxy(environ["ODOO_URL"]) as proxy:
            environ |= {f"CARRIER_{name.upper()}_SECRETS": secret for name, secret in SECRETS.items()}
            environ |= {
                "ODOO_URL": proxy.url,
                "MILEPOST_HOME": str(tmp_path_factory.mktemp("home")),
                "MILEPOST_REDIS_URL": "",
                "MILEPOST_DATABASE_URL": "",
                "MILEPOST_PORT": str(free_port()),
                "MILEPOST_FLOWER_PORT": str(free_port()),
            }
            with Up(environ, progress=lambda _: None) as up:
                odoo = connect(up.settings)
                setup.apply(odoo)
                engine = make_engine(up.settings.database_url)
                yield System(up, odoo, proxy, engine)
                engine.dispose()
