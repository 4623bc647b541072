"""`milepost replay`: ingest stored messages again, or try parked effects again."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID

import click
from sqlalchemy import Connection, Engine

from app.commands.store import open_store
from shipments.clock import time_of
from shipments.store.effects import retry_parked
from shipments.store.messages import MessageState, Wanted, replay_messages

TELL_SECONDS = 2

_After = TypeVar("_After", UUID, str)
_MOMENT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"])


@click.command()
@click.option("--id", "ids", multiple=True, type=click.UUID, help="A message; may be given several times.")
@click.option("--carrier", help="All messages of this carrier.")
@click.option("--parked", is_flag=True, help="Only messages that are parked.")
@click.option("--since", type=_MOMENT, help="Only messages received at or after this time (UTC).")
@click.option("--until", type=_MOMENT, help="Only messages received before this time (UTC).")
@click.option("--effects", is_flag=True, help="Try parked effects again instead of messages.")
def replay(
    ids: tuple[UUID, ...],
    carrier: str | None,
    parked: bool,
    since: datetime | None,
    until: datetime | None,
    effects: bool,
) -> None:
    """Ingest stored messages again, in the bulk lane; what is right already does not change.

    For after a mapping was added, a parser mended, or a lost key put back. Name at least one choice.
    """
    if not (ids or carrier or parked or since or until or effects):
        raise click.UsageError("name what to replay: --id, --carrier, --parked, --since, --until or --effects")
    store = open_store()
    if effects:
        count, what = _go_through(store, retry_parked, ""), "effects"
    else:
        wanted = Wanted(ids, carrier, MessageState.PARKED if parked else None, _utc(since), _utc(until))
        count = _go_through(store, lambda connection, after: replay_messages(connection, wanted, after), UUID(int=0))
        what = "messages"
    click.echo(f"{count} {what} will be done again, within seconds where workers run")


def _go_through(store: Engine, some: Callable[[Connection, _After], tuple[int, _After | None]], after: _After) -> int:
    """In short transactions: who is stopped midway has marked a part, and is as well off as who marked all."""
    count, told_at, place = 0, time.monotonic(), after
    while True:
        with store.begin() as connection:
            marked, last = some(connection, place)
        count += marked
        if last is None:
            return count
        place = last
        if time.monotonic() > told_at + TELL_SECONDS:
            told_at = time.monotonic()
            click.echo(f"{count:,} so far, up to {_place(place)}", err=True)


def _place(place: _After) -> str:
    return f"those of {time_of(place):%Y-%m-%d %H:%M} UTC" if isinstance(place, UUID) else place


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=at.tzinfo or UTC) if at else None
