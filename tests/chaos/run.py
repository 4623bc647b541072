"""A run: the load with everything breaking, then the same events in peace, and what the two have in common."""

import random
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.chaos.faults import Chaos, Done, Fault, Plan, draw
from tests.chaos.figures import Figure, at_least, at_most, between, exactly
from tests.chaos.load import Load, make_load, orders_for
from tests.chaos.odoo_state import Shown, differences, shown
from tests.chaos.once import brought_about, duplicates
from tests.chaos.sender import Sender, Sent
from tests.chaos.site import Site, running

THREADS = 8
SETTLE_SECONDS = 300
RECOVERY_BAR_SECONDS = 90
CORRECT_WITHIN_SECONDS = 120
SKEW_SECONDS = 3600
SKEWABLE = {"web": "granian", "worker": "worker@", "act": "act@", "bulk": "bulk@", "poll": "poll@", "beat": "beat"}
"""Each kind of process that can be on the host whose clock is off, and how a word of its command line begins."""

Say = Callable[[str], object]


@dataclass
class Report:
    """What a run found out. posts and events: how many; troubles: a few of each kind, in words."""

    seed: int
    skew: str
    plan: Plan
    faults: Sequence[Fault]
    done: Done
    sent: Sent
    posts: int
    events: int
    recovery_seconds: float
    disk_is_real: bool
    figures: list[Figure] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


@dataclass
class Ending:
    """How the run with faults ended: settled after so many seconds, or what still waited."""

    seconds: float
    left: dict[str, int] | None
    stored: int
    lost: int
    parked_messages: int
    parked_effects: int
    duplicates: Mapping[str, list[str]]
    brought_about: Mapping[str, int]
    shown: Mapping[str, Shown]


def run(plan: Plan, seed: int, say: Say, logs: Path | None = None) -> Report:
    """Both runs. The same seed draws the same load and the same faults. logs: where to keep those of the first."""
    chance = random.Random(seed)
    start = (datetime.now(UTC) - timedelta(days=2)).replace(minute=0, second=0, microsecond=0)
    skewed, by = chance.choice(list(SKEWABLE)), chance.choice((-SKEW_SECONDS, SKEW_SECONDS))
    with tempfile.TemporaryDirectory(prefix="milepost-chaos-") as folder:
        extra = skew_environ(skewed, by)
        with running(Path(folder, "loud"), orders_for(plan.posts), start, extra, lambda _: None) as (site, orders):
            begin = datetime.now(UTC)
            load = make_load(orders, plan.posts, start, (begin, begin + timedelta(seconds=plan.seconds)), chance)
            faults = draw(plan, site.up.pids, chance)
            skew = f"{skewed} by {by:+d} s"
            say(f"{load.size} posts of {len(load.events)} events, {len(faults)} faults, clock off: {skew}")
            sent, done = break_everything(site, load, plan, faults, say)
            ending = wait_and_look(site, done, sent)
            disk_is_real = site.disk is not None
            keep_logs(site, logs)
        say("the same events in peace")
        quiet, quiet_left = quiet_run(Path(folder, "quiet"), orders_for(plan.posts), start, load)
    counts = (load.size, len(load.events) + len(load.corrections))
    report = Report(seed, skew, plan, faults, done, sent, *counts, ending.seconds, disk_is_real)
    judge(report, ending, load, quiet, quiet_left)
    return report


def keep_logs(site: Site, logs: Path | None) -> None:
    """What all processes and servers wrote, for whoever looks for a cause."""
    if logs:
        shutil.copytree(site.up.settings.home / "log", logs, dirs_exist_ok=True)


def skew_environ(kind: str, by: int) -> Mapping[str, str]:
    """What puts that kind of process on a host whose clock is off."""
    folder = str(Path(__file__).with_name("skewed"))
    return {"PYTHONPATH": folder, "CHAOS_SKEWED": SKEWABLE[kind], "CHAOS_SKEW_SECONDS": str(by)}


def break_everything(site: Site, load: Load, plan: Plan, faults: Sequence[Fault], say: Say) -> tuple[Sent, Done]:
    """Load and faults at the same time, until both are over."""
    sender = Sender(site.to_web.url, load.posts, load.unreadable, THREADS, plan.seconds)
    sending = [
        threading.Thread(target=sender.run, daemon=True),
        threading.Thread(target=correct, args=(sender, site, load, plan.seconds + CORRECT_WITHIN_SECONDS), daemon=True),
    ]
    for thread in sending:
        thread.start()
    site.odoo.lose_one_in = plan.odoo_loses_one_in
    done = Chaos(site, faults, say).run()
    for thread in sending:
        thread.join()
    done.ended = max([done.ended, *(at for at, _ in sender.sent.acknowledged[-1:])])
    say(f"{len(sender.sent.acknowledged)} acknowledged, no more faults: waiting until all is done")
    return sender.sent, done


def correct(sender: Sender, site: Site, load: Load, seconds: float) -> None:
    """Takes deliveries back, each as soon as finance has acted on it; those it did not act on when the time is over."""
    deadline, left = time.monotonic() + seconds, dict(load.corrections)
    while left:
        acted_on = {invoice["invoice_origin"] for invoice in site.odoo.records("account.move")}
        for order in left.keys() & acted_on if time.monotonic() < deadline else left.copy():
            sender.send(left.pop(order))
        time.sleep(0.5)


def wait_and_look(site: Site, done: Done, sent: Sent) -> Ending:
    left = site.settle(SETTLE_SECONDS)
    seconds = time.monotonic() - done.ended
    stored = {row[0] for row in site.rows("select id from messages")}
    return Ending(
        seconds=seconds,
        left=left,
        stored=len(stored),
        lost=len(sent.ids - stored),
        parked_messages=int(site.rows("select count(*) from messages where state = 'parked'")[0][0]),
        parked_effects=int(site.rows("select count(*) from effects where state = 'parked'")[0][0]),
        duplicates=duplicates(site),
        brought_about=brought_about(site.odoo),
        shown=shown(site.odoo),
    )


def quiet_run(
    home: Path, orders: int, start: datetime, load: Load
) -> tuple[Mapping[str, Shown], dict[str, int] | None]:
    """The events once and in order, with nothing else going on: what Odoo then shows, and what was left undone."""
    with running(home, orders, start, progress=lambda _: None) as (site, _):
        Sender(site.up.web_url, load.events, frozenset(), 1, 0).run()
        left = site.settle(SETTLE_SECONDS)
        Sender(site.up.web_url, [posts[0] for posts in load.corrections.values()], frozenset(), 1, 0).run()
        left = site.settle(SETTLE_SECONDS) or left
        return shown(site.odoo), left


def judge(
    report: Report, ending: Ending, load: Load, quiet: Mapping[str, Shown], quiet_left: dict[str, int] | None
) -> None:
    """Adds the figures and the troubles to the report."""
    sent, done, plan = report.sent, report.done, report.plan
    different = {kind: differences(ending.shown[kind], quiet[kind]) for kind in quiet}
    in_full_disk = sum(sent.acknowledged_between(begin + 1, end) for begin, end in done.full)
    kills = [f.name.removeprefix("kill ") for f in report.faults if f.kind.startswith("kill")]
    report.figures += [at_least("acknowledged", len(sent.acknowledged), load.size)]
    report.figures += [at_least("stored", ending.stored, len(sent.ids))]
    report.figures += [exactly("lost", ending.lost, 0)]
    report.figures += [exactly(f"duplicates, {kind}", len(lines), 0) for kind, lines in ending.duplicates.items()]
    report.figures += [at_least(f"brought about, {what}", n, 1) for what, n in ending.brought_about.items()]
    unreadable = (len(sent.unreadable), sent.unreadable_tries)
    report.figures += [between("parked messages, all of them unreadable", ending.parked_messages, *unreadable)]
    report.figures += [exactly("parked effects", ending.parked_effects, 0)]
    report.figures += [
        exactly(f"differences from a quiet run, {kind}", len(lines), 0) for kind, lines in different.items()
    ]
    report.figures += [exactly("left undone", sum((ending.left or {}).values()), 0)]
    report.figures += [exactly("left undone by the quiet run", sum((quiet_left or {}).values()), 0)]
    report.figures += [at_most("time to recover", round(ending.seconds, 1), RECOVERY_BAR_SECONDS, " s")]
    report.figures += [at_least("acknowledged while the disk of Valkey was full", in_full_disk, 1)]
    report.figures += [at_least("calls of Odoo spoiled, in four ways", done.spoiled.total(), plan.odoo_spoils_at_least)]
    report.figures += [
        at_least(f"killed -9, {name}", done.killed[name], plan.kills_each) for name in sorted(set(kills))
    ]
    report.troubles += [f"waits: {name}: {count}" for name, count in (ending.left or {}).items()]
    report.troubles += [f"twice: {line}" for lines in ending.duplicates.values() for line in lines[:10]]
    report.troubles += [f"differs: {line}" for lines in different.values() for line in lines[:10]]
