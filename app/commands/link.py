"""`milepost link`: a person says which delivery a number belongs to that Odoo carries nowhere."""

import getpass
from pathlib import Path

import click

import config
from app.commands.store import open_store, running_settings
from shipments.correlation import comparable
from shipments.rules.policy import load_policy
from shipments.store.links import Link, find_links, get_delivery, save_link

_SHIPPED_POLICY = Path(config.__file__).with_name("policy.toml")


@click.command()
@click.argument("number")
@click.argument("delivery", required=False)
@click.option("--reason", help="How you know, such as the customer's e-mail.")
@click.option("--by", "chosen_by", default=getpass.getuser, help="Who says so; you, if left out.")
@click.option("--take-back", is_flag=True, help="Undo it; DELIVERY is left out, and the number is looked for again.")
@click.option("--history", is_flag=True, help="Show what was said of NUMBER, and change nothing.")
def link(
    number: str, delivery: str | None, reason: str | None, chosen_by: str, *, take_back: bool, history: bool
) -> None:
    """Say that NUMBER belongs to DELIVERY (its name in Odoo, such as WH/OUT/00012, or its id).

    For parcels that `milepost parked` shows. Each word is kept with its reason and who said it. A number that is
    written on a delivery in Odoo goes over it.
    """
    plain = comparable(number)
    if not plain:
        raise click.UsageError("NUMBER has no letter and no digit")
    if history:
        show(plain)
        return
    if bool(delivery) == take_back:
        raise click.UsageError("name the delivery, or --take-back")
    if not (reason or "").strip():
        raise click.UsageError("--reason is empty")
    chosen_policy = running_settings().policy
    policy = load_policy(Path(chosen_policy) if chosen_policy else _SHIPPED_POLICY)
    with open_store().begin() as connection:
        id_ = get_delivery(connection, delivery) if delivery else None
        settled = save_link(connection, Link(plain, id_, str(reason), chosen_by), policy)
    click.echo(f"kept; {settled.effects} effects follow, within seconds where workers run")


def show(number: str) -> None:
    """Prints all that people said of the number, the last word first."""
    with open_store().connect() as connection:
        links = find_links(connection, number)
    for said in links:
        word = f"delivery {said.shipment_id}" if said.shipment_id is not None else "taken back"
        click.echo(f"{said.chosen_at:%Y-%m-%d %H:%M} {said.chosen_by}: {word} ({said.reason})")
    if not links:
        click.echo("nobody has said anything of that number")
