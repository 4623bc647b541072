"""`milepost carriers detect`, `guesses` and `choose`: who carries a number, where a source does not say."""

import getpass
from collections.abc import Sequence
from typing import Any

import click
from sqlalchemy import text

from app.commands.store import open_store
from carriers.detect import detect as candidates_of
from carriers.detect import likeliest
from carriers.registry import carrier_names, folder_names
from shipments.correlation import comparable
from shipments.event import CARRIER_CANDIDATE, CARRIER_GUESS
from shipments.store.choices import Choice, add_choice, find_choices
from shipments.store.messages import Wanted, replay_messages

# Whether a source guesses shows in its events alone; each parcel is looked up by its key, the newest first.
GUESSED = text("""
    select p.tracking_number, p.number, p.carrier, e.event -> 'references' as said
    from parcels p cross join lateral (
        select event from events where parcel_id = p.id
            and event -> 'references' @> jsonb_build_array(jsonb_build_object('type', cast(:guess as text)))
        order by instant desc, key limit 1) e
    where p.carrier = any(:sources) and (cast(:number as text) is null or p.number = :number)
    order by p.id desc limit :count
""")


@click.command()
@click.argument("number")
def detect(number: str) -> None:
    """Print the carriers NUMBER may be of, the likeliest first, each with how sure that is and why."""
    found = candidates_of(number)
    for guess in found:
        click.echo(f"{guess.carrier:16} {guess.confidence:.2f}  {guess.because}")
    chosen = likeliest(found)
    if chosen:
        click.echo(f"guess: {chosen.carrier}")
    else:
        click.echo(f"no guess: {'none is likely enough, or several are alike' if found else 'no rule fits the number'}")


@click.command()
@click.option("--number", help="Only this tracking number.")
@click.option("--count", default=50, show_default=True, help="How many parcels, the newest first.")
def guesses(number: str | None, count: int) -> None:
    """List parcels whose carrier was guessed: the guess, the candidates, and what people have said of it since."""
    values: dict[str, Any] = {"guess": CARRIER_GUESS, "number": comparable(number) if number else None, "count": count}
    values["sources"] = sorted(set(carrier_names()) - set(folder_names()))
    with open_store().connect() as connection:
        rows = connection.execute(GUESSED, values).all()
        choices = find_choices(connection, {row.number for row in rows})
    for row in rows:
        guess, candidates = _said(row.said, CARRIER_GUESS), _said(row.said, CARRIER_CANDIDATE)
        why = "; ".join(candidates) or "no rule fits the number"
        click.echo(f"{row.tracking_number}  told by {row.carrier}  guess: {guess[0]}  ({why})")
        for choice in choices.get(row.number, ()):
            word = choice.carrier or "taken back"
            click.echo(f"    {choice.chosen_at:%Y-%m-%d %H:%M} {choice.chosen_by}: {word} ({choice.reason})")
    if not rows:
        click.echo("no carrier was guessed")


@click.command()
@click.argument("number")
@click.argument("carrier", required=False)
@click.option("--reason", required=True, help="How you know, such as the label was read.")
@click.option("--by", "chosen_by", default=getpass.getuser, help="Who says so; you, if left out.")
@click.option("--take-back", is_flag=True, help="Go back to what is guessed; CARRIER is left out.")
def choose(number: str, carrier: str | None, reason: str, chosen_by: str, take_back: bool) -> None:
    """Say that CARRIER carries NUMBER, over what was guessed; what was told of the number is ingested again.

    Every choice is kept with its reason, and `milepost carriers guesses` shows them.
    """
    if bool(carrier) == take_back:
        raise click.UsageError("name the carrier, or --take-back")
    if not comparable(number):
        raise click.UsageError("NUMBER has no letter and no digit")
    if not reason.strip():
        raise click.UsageError("--reason is empty")
    with open_store().begin() as connection:
        ids = add_choice(connection, Choice(comparable(number), carrier, reason, chosen_by))
        replayed = replay_messages(connection, Wanted(ids))[0] if ids else 0
    click.echo(f"kept; {replayed} messages that told of it will be done again, within seconds where workers run")


def _said(references: Sequence[dict[str, Any]], kind: str) -> list[str]:
    return [reference["value"] for reference in references if reference["type"] == kind]
