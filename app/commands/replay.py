"""`milepost replay`: ingest stored messages again, or try parked effects again."""

from datetime import UTC, datetime
from uuid import UUID

import click

from app.commands.store import open_store
from shipments.store.effects import retry_parked
from shipments.store.messages import MessageState, replay_messages

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
    with open_store().begin() as connection:
        if effects:
            count, what = retry_parked(connection), "effects"
        else:
            state = MessageState.PARKED if parked else None
            count = replay_messages(
                connection, ids=ids, carrier=carrier, state=state, since=_utc(since), until=_utc(until)
            )
            what = "messages"
    click.echo(f"{count} {what} will be done again, within seconds where workers run")


def _utc(at: datetime | None) -> datetime | None:
    return at.replace(tzinfo=at.tzinfo or UTC) if at else None
