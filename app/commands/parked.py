"""`milepost parked` and `milepost message`: what waits for a person, and what arrived."""

import sys
from uuid import UUID

import click
from sqlalchemy import text

from app.commands.store import open_store, running_settings
from shipments.errors import Permanent
from shipments.store.seal import Seal

_MESSAGES = text("""
    select id, carrier, received_at, reason from messages where state = 'parked' order by received_at desc limit :count
""")
_EFFECTS = text("""
    select key, decided_at, reason from effects where state = 'parked' order by decided_at desc limit :count
""")
_UNMATCHED = text("""
    select carrier, tracking_number, unmatched_since, candidates from parcels
    where unmatched_since is not null order by unmatched_since desc limit :count
""")


@click.command()
@click.option("--count", default=50, show_default=True, help="How many of each kind, the newest first.")
def parked(count: int) -> None:
    """List what waits: unreadable messages, effects Odoo refused, parcels without a delivery.

    `milepost link` says to which delivery a parcel belongs.
    """
    with open_store().connect() as connection:
        values = {"count": count}
        for row in connection.execute(_MESSAGES, values):
            click.echo(f"message  {row.id}  {row.received_at:%Y-%m-%d %H:%M}  {row.carrier}: {row.reason}")
        for row in connection.execute(_EFFECTS, values):
            click.echo(f"effect   {row.key}  {row.decided_at:%Y-%m-%d %H:%M}  {row.reason}")
        for row in connection.execute(_UNMATCHED, values):
            click.echo(
                f"parcel   {row.tracking_number}  since {row.unmatched_since:%Y-%m-%d %H:%M}  {row.carrier}: "
                "no delivery in Odoo carries this number yet"
                + (f"; {row.candidates}: choose with `milepost link`" if row.candidates else "")
            )


@click.command()
@click.argument("message_id", type=click.UUID)
@click.option("--body", is_flag=True, help="Print the body as it arrived; it may hold personal data.")
def message(message_id: UUID, body: bool) -> None:
    """Show one message: when it came, what became of it, and with --body what it says."""
    query = text(
        "select carrier, account, received_at, state, reason, events, trace, sealed from messages where id = :id"
    )
    with open_store().connect() as connection:
        row = connection.execute(query, {"id": message_id}).first()
    if row is None:
        raise Permanent(f"there is no message {message_id}")
    if body:
        sys.stdout.buffer.write(Seal(running_settings().secret_key).open(message_id, bytes(row.sealed))[0])
        return
    for name in ("carrier", "account", "received_at", "state", "reason", "events", "trace"):
        click.echo(f"{name:12} {row._mapping[name] or ''}".rstrip())
