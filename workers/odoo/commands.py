"""`milepost odoo`: see whether Odoo is ready for Milepost, make it ready, take it all away again."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import click

from config.settings import BadSettings, Settings, load_settings
from shipments.errors import MilepostError
from workers.odoo import setup as preparation
from workers.odoo.account import cost_command
from workers.odoo.check import FAULT, check
from workers.odoo.client import Odoo, connect
from workers.odoo.reconcile_command import forget_database, reconcile_command
from workers.odoo.rotate_command import rotate_command
from workers.odoo.user import apply_user, steps
from workers.odoo.webhook import webhook_command

SETUP_SECONDS = 600
"""The longest wait for an answer while setup runs: nobody else waits for it."""


@click.group()
def odoo() -> None:
    """Odoo: is it ready for Milepost, and make it so."""


odoo.add_command(cost_command)
odoo.add_command(reconcile_command)
odoo.add_command(rotate_command)
odoo.add_command(webhook_command)


@odoo.command("check")
def check_command() -> None:
    """Say what is right and what is wrong with Odoo; exit 1 if something will not work."""
    with _sentences():
        findings = check(load_settings())
    for finding in findings:
        click.echo(f"{finding.level:8} {finding.sentence}")
    if any(finding.level == FAULT for finding in findings):
        raise SystemExit(1)


@odoo.command("setup")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--remove", is_flag=True, help="Take away everything Milepost added, the timelines with it.")
@click.option("--yes", is_flag=True, help="Remove without asking.")
@click.option("--adopt", is_flag=True, help="Take an Odoo over that another deployment has set up, or a copy of one.")
@click.option("--user", "login", help="Make Milepost's own user as well, with exactly the rights it needs.")
@click.option("--company", "companies", multiple=True, help="With --user: for this company alone; repeatable.")
@click.option("--with-role", is_flag=True, help="With --user: it may make API keys, until this is run without.")
@click.option("--print", "only_print", is_flag=True, help="With --user: print what a person does instead.")
def setup_command(
    dry_run: bool,
    remove: bool,
    yes: bool,
    adopt: bool,
    login: str | None,
    companies: tuple[str, ...],
    with_role: bool,
    only_print: bool,
) -> None:
    """Add Milepost's fields, event model, rights and views to Odoo. Needs an administrator's key, this once."""
    if (only_print or companies or with_role) and not login:
        raise click.UsageError("--print, --company and --with-role go with --user.")
    if login and only_print:
        for place, step in enumerate(steps(login), 1):
            click.echo(f"{place}. {step}")
        return
    with _sentences():
        client = connect(patient(load_settings()))
        if remove:
            _remove(client, dry_run=dry_run, yes=yes)
        else:
            _set_up(client, dry_run=dry_run, adopt=adopt)
        if login and not remove:
            for change in apply_user(client, login, companies, with_role=with_role, dry_run=dry_run):
                click.echo(f"{'would ' if dry_run else ''}{change}")
            click.echo(_next_step(login, with_role=with_role))


def patient(settings: Settings) -> Settings:
    """With a long time limit: Odoo 14 takes two seconds for each field, and all fields of a model are one call."""
    return replace(settings, odoo_timeout_seconds=max(settings.odoo_timeout_seconds, SETUP_SECONDS))


def _next_step(login: str, *, with_role: bool) -> str:
    if with_role:
        return f"Now `milepost odoo rotate-key` as {login}, and then `milepost odoo setup --user {login}` again."
    return f"If {login} needs an API key: `milepost odoo setup --user {login} --print` says how."


def _set_up(client: Odoo, *, dry_run: bool, adopt: bool) -> None:
    changes = preparation.plan(client) if dry_run else preparation.apply(client, adopt=adopt)
    if adopt and not dry_run:
        forget_database()
    for change in changes:
        click.echo(f"{'would ' if dry_run else ''}{change}")
    if not changes:
        click.echo(f"{client.url} is ready: nothing to change.")
    elif not dry_run:
        click.echo(f"{client.url} is ready. Put Milepost's user into the group Milepost / Integration.")


def _remove(client: Odoo, *, dry_run: bool, yes: bool) -> None:
    labels = preparation.removable(client)
    if not labels:
        click.echo(f"There is nothing of Milepost's in {client.url}.")
        return
    if dry_run:
        for label in labels:
            click.echo(f"would remove {label}")
        return
    if not yes:
        question = f"Remove {len(labels)} things, and all shipment states and timelines, from {client.url}?"
        click.confirm(question, abort=True)
    for change in preparation.remove(client):
        click.echo(str(change))


@contextmanager
def _sentences() -> Iterator[None]:
    """A fault that Milepost can name is shown as its sentence, without a traceback."""
    try:
        yield
    except (MilepostError, BadSettings) as fault:
        raise click.ClickException(str(fault)) from fault
