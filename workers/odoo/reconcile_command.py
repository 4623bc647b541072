"""`milepost odoo reconcile`: Odoo against the store, now."""

import time
from datetime import UTC, datetime

import click
from sqlalchemy import Engine, text

from config.running import running_settings
from config.settings import BadSettings
from shipments.errors import MilepostError
from shipments.store.alone import Lock, alone
from shipments.store.database import make_engine
from shipments.store.reports import find_report, save_report, start_report
from workers.odoo.client import Odoo, connect
from workers.odoo.cost import Meter
from workers.odoo.guard import forget, verify
from workers.odoo.reconcile import Run, give_way, listed, reconcile_page
from workers.resources import policy

_SHOWN = 50


@click.command("reconcile")
@click.option("--repair/--dry-run", default=True, show_default=True, help="Mend what differs, or only list it.")
@click.option("--since", type=click.DateTime(), help="Look at deliveries written since then (UTC); else 60 days.")
@click.option("--last", is_flag=True, help="Show the newest report instead.")
def reconcile_command(repair: bool, since: datetime | None, last: bool) -> None:
    """Compare every open delivery of Odoo, and those that ended lately, with the store."""
    try:
        engine = make_engine(running_settings().database_url)
        if last:
            _show_last(engine)
        else:
            _compare(engine, repair=repair, since=since.replace(tzinfo=UTC) if since else None)
    except (MilepostError, BadSettings) as fault:
        raise click.ClickException(str(fault)) from fault


def forget_database() -> None:
    """After an Odoo was adopted: the store takes the next one it meets for its own."""
    try:
        engine = make_engine(running_settings().database_url)
    except BadSettings:
        click.echo("There is no store here. If it has known another Odoo, do this again where it can be reached.")
        return
    with engine.begin() as connection:
        forget(connection)


def _compare(engine: Engine, *, repair: bool, since: datetime | None) -> None:
    odoo, meter = connect(running_settings()), Meter()
    odoo.on_done = meter.note
    try:
        verify(engine, odoo)
        run = _compare_all(engine, odoo, repair=repair, since=since)
    finally:
        meter.post(engine)
    _show(run)


def _compare_all(engine: Engine, odoo: Odoo, *, repair: bool, since: datetime | None) -> Run:
    with alone(engine, Lock.RECONCILER) as mine:
        if not mine:
            raise click.ClickException("Another process compares now; wait until it has ended.")
        with engine.begin() as connection:
            at: datetime = connection.execute(text("select now()")).scalar_one()
            run = Run.begin(at, repair=repair, since=since)
            report = start_report(connection, run.to_dict())
        while not run.ended:
            began = time.monotonic()
            reconcile_page(engine, odoo, policy(), run)
            with engine.begin() as connection:
                save_report(connection, report, run.to_dict(), ended=run.ended)
            if not run.ended:
                click.echo(f"{run.deliveries} deliveries, {run.found} differences, {run.calls} calls", err=True)
                give_way(engine, time.monotonic() - began)
    return run


def _show_last(engine: Engine) -> None:
    with engine.connect() as connection:
        report = find_report(connection)
    if report is None:
        click.echo("Nothing has been compared yet.")
        return
    ended = f"ended {report.ended_at:%Y-%m-%d %H:%M} UTC" if report.ended_at else "has not ended"
    click.echo(f"began {report.began_at:%Y-%m-%d %H:%M} UTC, {ended}")
    _show(Run(**report.report))


def _show(run: Run) -> None:
    for drift in listed(run)[:_SHOWN]:
        click.echo(f"{drift.kind:10}  {drift.record}  {drift.name}  Odoo: {drift.theirs}  Milepost: {drift.ours}")
    if run.found > _SHOWN:
        click.echo(f"and {run.found - _SHOWN} more")
    mended = "being mended" if run.repair else "listed only"
    click.echo(
        f"{run.deliveries} deliveries compared in {run.calls} calls: {run.found} differences, {mended}; "
        f"{run.kept} kept by people{'; ' + run.fault if run.fault else ''}"
    )
    if run.hidden:
        click.echo(
            f"{run.hidden} deliveries are not to be seen any more, and are left as they are: check the companies and "
            "the group of Milepost's user in Odoo."
        )
