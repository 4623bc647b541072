"""`milepost exceptions`: the deliveries that are in trouble, whose they are, and how long there is left."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import click

from app.commands.store import open_store
from shipments.rules.exceptions import Severity
from shipments.store.trouble import MOST_COUNTED, Trouble, find_trouble

_HARMLESS_FIRST = tuple(Severity)
_ORDERS: dict[str, Callable[[Trouble], Any]] = {
    "due": lambda trouble: trouble.due_at,
    "severity": lambda trouble: (-_HARMLESS_FIRST.index(trouble.severity), trouble.due_at),
    "age": lambda trouble: trouble.since,
}


@click.command()
@click.option("--sort", type=click.Choice(list(_ORDERS)), default="due", show_default=True, help="What comes first.")
@click.option("--overdue", is_flag=True, help="Only what should have been resolved by now.")
@click.option("--owner", help="Only what this team resolves.")
@click.option("--count", default=50, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, one line each.")
def exceptions(sort: str, overdue: bool, owner: str | None, count: int, as_json: bool) -> None:
    """List the deliveries in trouble: the most urgent, the worst (severity) or the oldest (age) first."""
    with open_store().connect() as connection:
        found = find_trouble(connection, MOST_COUNTED)
    wanted = [t for t in found if (not overdue or t.left < timedelta(0)) and owner in (None, t.owner)]
    for trouble in sorted(wanted, key=_ORDERS[sort])[:count]:
        click.echo(json.dumps(_document(trouble)) if as_json else _line(trouble))
    if not as_json:
        click.echo(f"{len(wanted)} open, {sum(t.left < timedelta(0) for t in wanted)} overdue")


def _line(trouble: Trouble) -> str:
    clock = f"overdue by {_span(-trouble.left)}" if trouble.left < timedelta(0) else f"{_span(trouble.left)} left"
    escalated = "  escalated" if trouble.escalated else ""
    return (
        f"{trouble.severity:8}  {trouble.category:16}  {trouble.owner:16}  {trouble.name or trouble.picking_id:16}"
        f"  {trouble.carrier:12}  open for {_span(trouble.age)}, {clock}{escalated}"
    )


def _document(trouble: Trouble) -> dict[str, Any]:
    return {
        "delivery": trouble.picking_id,
        "name": trouble.name,
        "order": trouble.order_name,
        "carrier": trouble.carrier,
        "category": trouble.category,
        "severity": trouble.severity.value,
        "owner": trouble.owner,
        "since": trouble.since.isoformat(),
        "due": trouble.due_at.isoformat(),
        "age_hours": round(trouble.age / timedelta(hours=1), 1),
        "hours_left": round(trouble.left / timedelta(hours=1), 1),
        "escalated": trouble.escalated,
    }


def _span(time: timedelta) -> str:
    """In the unit a person would say: minutes, hours up to two days, days."""
    minutes = int(time / timedelta(minutes=1))
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"
