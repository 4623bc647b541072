"""`milepost poll`: who is asked about what, and asking now. The asking itself is done by the workers."""

from collections.abc import Mapping
from typing import Any

import click
from sqlalchemy import Engine

from app.commands.carriers import show
from app.commands.store import open_store, running_settings
from carriers import all_carriers, find_carrier
from carriers.base import Carrier
from carriers.polling import Credentials
from config.settings import Settings
from shipments.errors import SetupFault
from shipments.store.polls import Count, count_polls, find_poll, want, want_all

_HEADING = ("carrier", "asked", "waiting", "due", "stopped", "times asked")


@click.command()
@click.argument("carrier", required=False)
@click.option("--number", "numbers", multiple=True, help="A tracking number; may be given several times.")
@click.option("--show", "only_show", is_flag=True, help="Only say what is known of the numbers.")
def poll(carrier: str | None, numbers: tuple[str, ...], only_show: bool) -> None:
    """Say who is asked about how much; with a CARRIER, ask now about all that it is asked about, or the numbers given.

    A number that is given is asked about whatever is known of it, also after asking has ended.
    """
    if carrier is None:
        if numbers:
            raise click.UsageError("name the carrier of the numbers: milepost poll CARRIER --number N")
        _show_carriers(open_store())
    elif only_show:
        _show_numbers(open_store(), carrier, numbers)
    else:
        _want(open_store(), carrier, numbers)


def _want(engine: Engine, name: str, numbers: tuple[str, ...]) -> None:
    carrier, settings = find_carrier(name), running_settings()
    if carrier is None or carrier.poll is None:
        askable = ", ".join(c.name for c in all_carriers() if c.poll)
        raise SetupFault([f"{name!r} is no carrier that can be asked; there are {askable}"])
    if missing := _missing(carrier, settings):
        raise SetupFault([f"{name} cannot be asked: set {missing}"])
    with engine.begin() as connection:
        count = want(connection, name, numbers) if numbers else want_all(connection, name)
    what = "number" if count == 1 else "numbers"
    click.echo(f"{name} will be asked about {count} {what}, within seconds where workers run and its limits allow")


def _show_carriers(engine: Engine) -> None:
    settings = running_settings()
    with engine.connect() as connection:
        counts = count_polls(connection)
    rows = [_row(carrier, settings, counts.get(carrier.name, Count(0, 0, 0, 0))) for carrier in all_carriers()]
    show([_HEADING, *rows])


def _row(carrier: Carrier, settings: Settings, count: Count) -> tuple[str, ...]:
    missing = _missing(carrier, settings)
    asked = "cannot be asked" if carrier.poll is None else f"no: set {missing}" if missing else "yes"
    return (carrier.name, asked, str(count.waiting), str(count.due), str(count.stopped), str(count.calls))


def _missing(carrier: Carrier, settings: Settings) -> str:
    """The settings that are missing to ask it."""
    if carrier.poll is None:
        return ""
    names = carrier.poll.missing(Credentials(**settings.credentials_of(carrier.name)))
    return ", ".join(f"CARRIER_{carrier.name}_{name}".upper() for name in names)


def _show_numbers(engine: Engine, carrier: str, numbers: tuple[str, ...]) -> None:
    with engine.connect() as connection:
        for number in numbers:
            found = find_poll(connection, carrier, number)
            if found is None:
                click.echo(f"{number}: {carrier} was never asked about it")
                continue
            click.echo(f"{number}: {_asked(found)}; {_next(found)}")


def _asked(found: Mapping[str, Any]) -> str:
    if not found["asked_at"]:
        return "not asked yet"
    return f"asked {found['calls']} times, last at {found['asked_at']:%Y-%m-%d %H:%M} UTC: {found['outcome']}"


def _next(found: Mapping[str, Any]) -> str:
    if found["wanted"]:
        return "wanted now"
    return f"next at {found['due_at']:%Y-%m-%d %H:%M} UTC" if found["due_at"] else str(found["reason"])
