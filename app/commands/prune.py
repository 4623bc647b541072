"""`milepost prune`: delete what has been kept long enough, or say what that is."""

import click

from app.commands.store import open_store, running_settings
from shipments.errors import Transient
from shipments.store.alone import Lock, alone
from shipments.store.prune import Retention, count_prunable
from shipments.store.prune import prune as prune_now


@click.command()
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option("--seconds", default=60, show_default=True, help="How long to go on.")
def prune(dry_run: bool, seconds: int) -> None:
    """Delete messages and parcels that were kept as long as the settings say.

    Workers do this every ten minutes; this is for seeing what a change of the settings means, and for doing it at once.
    """
    settings, engine = running_settings(), open_store()
    retention = Retention(settings.keep_messages_days, settings.keep_parked_days, settings.keep_parcels_days)
    with alone(engine, Lock.PRUNER) as mine:
        if not mine:
            raise Transient("something is being pruned right now; try again in half a minute")
        pruned = (count_prunable if dry_run else prune_now)(engine, retention, seconds)
    for table, rows in sorted(pruned.gone.items()):
        click.echo(f"{table:10} {rows:>12,}")
    click.echo(f"{sum(pruned.gone.values()):,} rows {'would be' if dry_run else 'are'} deleted")
    if not pruned.ended:
        click.echo(f"{seconds} s were not enough to look at everything; --seconds gives more")
