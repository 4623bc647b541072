"""`milepost hold`: what may not be deleted, whatever its age, because somebody asked for it."""

import getpass
from datetime import UTC, datetime

import click

from app.commands.store import open_store
from carriers.registry import carrier_names
from shipments.correlation import comparable
from shipments.errors import Permanent
from shipments.store.holds import Hold, add_hold, find_holds, remove_hold

_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])


@click.group()
def hold() -> None:
    """Legal holds: keep what is named for as long as the hold stands."""


@hold.command()
@click.option("--number", help="A tracking number: its parcels, their orders, and the messages that told of them.")
@click.option("--carrier", type=click.Choice(carrier_names()), help="All of this carrier's messages and parcels.")
@click.option("--since", type=_MOMENT, help="With --carrier: what was received at or after this time (UTC).")
@click.option("--until", type=_MOMENT, help="With --carrier: what was received before this time (UTC).")
@click.option("--reason", required=True, help="Why, such as the file number of the claim.")
@click.option("--by", "placed_by", default=getpass.getuser, help="Who wants it; you, if left out.")
def add(
    number: str | None,
    carrier: str | None,
    since: datetime | None,
    until: datetime | None,
    reason: str,
    placed_by: str,
) -> None:
    """Place a hold. What was deleted before cannot be brought back."""
    if bool(number) == bool(carrier) or (number and (since or until)):
        raise click.UsageError("name what to hold: --number, or --carrier with or without --since and --until")
    if number is not None and not comparable(number):
        raise click.UsageError("--number has no letter and no digit")
    wanted = Hold(comparable(number) if number else None, carrier, _utc(since), _utc(until), reason, placed_by)
    with open_store().begin() as connection:
        click.echo(f"hold {add_hold(connection, wanted)} is placed")


@hold.command("list")
def show() -> None:
    """List the holds: what, why, who and since when."""
    with open_store().connect() as connection:
        for placed in find_holds(connection):
            click.echo(
                f"{placed.id}  {placed.about}  {placed.placed_at:%Y-%m-%d} by {placed.placed_by}: {placed.reason}"
            )


@hold.command()
@click.argument("hold_id", type=int)
def remove(hold_id: int) -> None:
    """Take a hold away; what is old enough goes within a day."""
    with open_store().begin() as connection:
        if not remove_hold(connection, hold_id):
            raise Permanent(f"there is no hold {hold_id}; `milepost hold list` shows them")
    click.echo(f"hold {hold_id} is taken away")


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=at.tzinfo or UTC) if at else None
