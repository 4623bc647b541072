"""`milepost carriers`: who is known here, how each proves itself, what its codes mean, and which nobody mapped."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import click
from sqlalchemy import text

from app.commands.guesses import choose, detect, guesses
from app.commands.store import open_store
from carriers import all_carriers, find_carrier
from carriers.base import Carrier
from carriers.registry import carrier_names, overrides
from carriers.sources import check_source
from config.settings import Settings, load_settings
from shipments.errors import SetupFault

_HEADING = ("name", "title", "reads", "is asked", "proof", "covers the body", "codes", "secrets")
_UNKNOWN = text("""
    select event->>'carrier' as carrier, coalesce(event->>'code_list', '') as code_list, event->>'code' as code,
           count(*) as times, max(received_at) as last_seen,
           (array_agg(message_id order by received_at desc))[1] as example,
           (array_agg(event->>'description' order by received_at desc))[1] as description
    from events where milestone = 'unknown' group by 1, 2, 3 order by times desc, 1, 2, 3 limit :count
""")


@click.group(invoke_without_command=True)
@click.pass_context
def carriers(context: click.Context) -> None:
    """List the carriers: messages read, whether Milepost asks, proof, mapped codes, and whether a secret is set."""
    if context.invoked_subcommand is None:
        settings = load_settings()
        show([_HEADING, *(_row(carrier, settings) for carrier in all_carriers())])


for command in (choose, detect, guesses):
    carriers.add_command(command)


@carriers.command()
@click.argument("name")
def codes(name: str) -> None:
    """List what the codes of the carrier NAME mean, and which of them MILEPOST_CODES maps."""
    carrier = find_carrier(name)
    if carrier is None:
        raise SetupFault([f"no carrier is called {name!r}; there are {', '.join(carrier_names())}"])
    said = {f"{o.code_list}:{o.code}" if o.code_list else o.code: o for o in overrides() if o.carrier == name}
    rows = [
        (
            code,
            meaning.milestone.value,
            meaning.exception_category or "",
            f"{said[code].owner}: {said[code].reason}" if code in said else "",
        )
        for code, meaning in carrier.codes
    ]
    show([("code", "milestone", "exception category", "mapped here by"), *rows])


@carriers.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Check FILE, a source described in TOML; exit status 1 and a line for each fault if there are any."""
    if faults := check_source(file):
        raise SetupFault(faults)
    click.echo(f"{file}: right; put it into the folder that MILEPOST_SOURCES names, and it is the carrier {file.stem}")


@carriers.command()
@click.option("--count", default=50, show_default=True, help="How many codes, the most frequent first.")
def unknown(count: int) -> None:
    """List the codes that arrived and that nobody has mapped, each with how often it came and an example message.

    Map them in the file MILEPOST_CODES names, restart, and run `milepost replay --carrier NAME`.
    """
    with open_store().connect() as connection:
        rows = [
            (
                r.carrier,
                r.code_list,
                r.code,
                str(r.times),
                f"{r.last_seen:%Y-%m-%d}",
                str(r.example),
                r.description or "",
            )
            for r in connection.execute(_UNKNOWN, {"count": count})
        ]
    if rows:
        show([("carrier", "code list", "code", "times", "last seen", "example message", "their words"), *rows])
    else:
        click.echo("every code that arrived is mapped")


def show(rows: Iterable[Sequence[str]]) -> None:
    """Prints the rows in columns as wide as their widest entry."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _row(carrier: Carrier, settings: Settings) -> tuple[str, ...]:
    proof = carrier.proof
    secrets = len(settings.secrets_of(carrier.name))
    networks = ", ".join(map(str, settings.networks_of(carrier.name)))
    return (
        carrier.name,
        carrier.title,
        ", ".join(carrier.transports),
        "yes" if carrier.poll else "no",
        proof.words + (f", from {networks} only" if networks else ""),
        "yes" if proof.covers_body else "no",
        str(len(carrier.codes)),
        "not needed" if not proof.needs_secret else f"{secrets} set" if secrets else "none",
    )
