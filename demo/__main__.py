"""`make demo`: all processes on the embedded servers, signed sample webhooks, and a table of what became of each.

Uses the Odoo that ODOO_URL names, else the verified stand-in. Stays up until Ctrl-C, or ends after the table (--once).
"""

import argparse
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import requests
from sqlalchemy import Engine, Row, text

from app.commands.up import Up
from app.receiver.keeper import connect_briefly
from config.embedded import EmbeddedFault
from config.embedded.folder import Home
from config.queues import LANES
from config.settings import BadSettings, load_settings
from demo.deliveries import demo_numbers, make_deliveries
from shipments.delivery import Delivery
from shipments.errors import MilepostError
from shipments.store.database import make_engine
from shipments.store.intake import Intake
from shipments.store.waiting import count_waiting
from tests.fakes.carriers import SECRETS, USUAL, Post, shuffled, story
from tests.fakes.odoo import FakeOdoo
from workers.odoo import setup
from workers.odoo.client import Odoo, connect

WAYS = (
    USUAL,
    USUAL[:5],
    USUAL[:3],
    (*USUAL[:4], "delivery_attempted"),
    USUAL[:1],
    (*USUAL[:4], "exception"),
)
PARCELS = 12
SETTLE_SECONDS = 90


def main() -> int:
    """Runs the demo; what goes wrong is said in a sentence."""
    parser = argparse.ArgumentParser(prog="make demo", description="The main job, end to end.")
    parser.add_argument("--once", action="store_true", help="end after the table")
    once = parser.parse_args().once
    for number in (signal.SIGTERM, signal.SIGINT):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            _demo(stack, once)
    except (MilepostError, BadSettings, EmbeddedFault) as fault:
        for sentence in str(fault).splitlines():
            _say(f"demo: {sentence}")
        return 1
    except KeyboardInterrupt:
        _say("The demo has stopped.")
    return 0


def _demo(stack: ExitStack, once: bool) -> None:
    environ = _own_environ()
    if not environ.get("ODOO_URL"):
        _say("ODOO_URL is not set: using the stand-in for Odoo")
        environ |= stack.enter_context(FakeOdoo()).environ()
    environ |= {f"CARRIER_{name.upper()}_SECRETS": secret for name, secret in SECRETS.items()}
    odoo = connect(load_settings(environ))
    _say(f"setting up Odoo {odoo.version[0]} at {odoo.url} ({len(setup.apply(odoo))} changes)")
    numbers = demo_numbers(PARCELS)
    deliveries = make_deliveries(odoo, list(numbers))
    up = stack.enter_context(Up(environ, progress=_say))
    start = datetime.combine(datetime.now(UTC).date() - timedelta(days=2), datetime.min.time(), UTC)
    posts = [
        p
        for n, (number, carrier) in enumerate(numbers.items())
        for p in story(carrier, number, _way(n, carrier), start)
    ]
    sent = shuffled(posts, repeated=0.3, chance=random.Random())  # noqa: S311, a shuffle for show
    _say(f"posting {len(sent)} signed webhooks, in random order and a third of them twice")
    statuses = _post_all(up.web_url, sent)
    engine = make_engine(up.settings.database_url)
    stack.callback(engine.dispose)
    _wait_until_settled(engine, Intake(connect_briefly(up.settings.redis_url)), sum(statuses.values()))
    _print_table(engine, odoo, numbers, deliveries, sent)
    answers = ", ".join(f"{count} x {status}" for status, count in sorted(statuses.items()))
    _say(f"\nanswers: {answers}; a forged one: {_forge(up.web_url, posts[0])}")
    if not once:
        _say(f"\nWeb: {up.web_url}   Flower: {up.flower_url} ({up.settings.flower_auth})   Odoo: {odoo.url}")
        _say("Running until Ctrl-C.")
        up.wait()


def _own_environ() -> dict[str, str]:
    """The environment with embedded servers of the demo's own, empty: its parcels are no others."""
    environ = dict(os.environ)
    for name in ("MILEPOST_REDIS_URL", "MILEPOST_DATABASE_URL"):
        environ.pop(name, None)
    folder = load_settings(environ).home / "demo"
    home = Home(folder)
    home.take()
    for name in ("valkey", "postgres"):
        shutil.rmtree(folder / name, ignore_errors=True)
    home.release()
    return environ | {"MILEPOST_HOME": str(folder)}


def _way(place: int, carrier: str) -> Sequence[str]:
    """UPS has no code for a failed attempt or damage among the made-up ones: its parcels go the usual way."""
    way = WAYS[place % len(WAYS)]
    return USUAL if carrier == "ups" and way[-1] not in USUAL else way


def _post_all(url: str, posts: Iterable[Post]) -> Counter[int]:
    with requests.Session() as session:
        return Counter(
            session.post(f"{url}/in/{p.carrier}", data=p.body, headers=p.headers, timeout=10).status_code for p in posts
        )


def _forge(url: str, post: Post) -> int:
    """The status a body gets whose proof is somebody else's."""
    forged = {name: "forged" for name in post.headers if name != "content-type"}
    return requests.post(f"{url}/in/{post.carrier}", data=post.body, headers=forged, timeout=10).status_code


def _wait_until_settled(engine: Engine, intake: Intake, accepted: int) -> None:
    """Until every accepted message is understood, every parcel has its delivery, and every effect is done."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        in_streams = any(map(intake.length, LANES))
        with engine.connect() as connection:
            understood = connection.scalar(text("select count(*) from messages where state <> 'received'")) or 0
            waiting = count_waiting(connection)
        unmatched = waiting["parcels unmatched"]
        to_do = waiting["news to be settled"] + waiting["effects due"]
        _progress(f"  understood {understood} of {accepted}, without delivery {unmatched}, to do {to_do}")
        if understood >= accepted and not in_streams and not any(waiting.values()):
            _say("\n")
            return
        if time.monotonic() > deadline:
            raise MilepostError(f"not settled after {SETTLE_SECONDS} s; see log/up.log in the folder of MILEPOST_HOME")
        time.sleep(0.3)


def _print_table(
    engine: Engine, odoo: Odoo, numbers: dict[str, str], deliveries: dict[str, Delivery], sent: Sequence[Post]
) -> None:
    fields = ["x_milepost_milestone", "x_milepost_exception", "x_milepost_occurred_text", "x_milepost_location"]
    ids = [d.picking_id for d in deliveries.values()]
    shown = {row["id"]: row for row in odoo.call("stock.picking", "read", ids, fields=fields)}
    told = Counter(p.number for p in sent)
    rows: list[tuple[str, ...]] = [
        ("number", "carrier", "webhooks", "events", "milestone", "delivery", "Odoo shows", "since", "tasks")
    ]
    with engine.connect() as connection:
        for number, carrier in numbers.items():
            state = connection.execute(_STATE, {"number": number}).one()
            delivery = deliveries[number]
            rows.append(_row(number, carrier, told[number], state, delivery.name, shown[delivery.picking_id]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        _say("  ".join(value.ljust(width) for value, width in zip(row, widths, strict=True)).rstrip())


def _row(
    number: str, carrier: str, told: int, state: Row[Any], delivery: str, shown: dict[str, Any]
) -> tuple[str, ...]:
    trouble = f" ({shown['x_milepost_exception']})" if shown["x_milepost_exception"] else ""
    in_odoo = f"{shown['x_milepost_milestone']}{trouble}"
    since = shown["x_milepost_occurred_text"] or ""
    return number, carrier, str(told), str(state.events), state.milestone, delivery, in_odoo, since, str(state.tasks)


_STATE = text("""
    select p.state -> 'journeys' -> -1 ->> 'milestone' as milestone,
        (select count(*) from events e where e.parcel_id = p.id) as events,
        (select count(*) from effects f join numbers n on n.shipment_id = f.subject
            where n.number = p.number and f.kind = 'activity' and f.sent) as tasks
    from parcels p where p.tracking_number = :number
""")


def _progress(line: str) -> None:
    """One line that a person sees change; nothing where nobody watches."""
    if sys.stdout.isatty():
        _show(f"\r{line}   ")


def _say(line: str) -> None:
    _show(line + "\n")


def _show(words: str) -> None:
    sys.stdout.write(words)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
