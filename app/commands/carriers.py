"""`milepost carriers`: who is known here, how each proves itself, and what its codes mean."""

from collections.abc import Iterable, Sequence

import click

from carriers import all_carriers, find_carrier
from carriers.base import Carrier
from carriers.proof import HmacProof, Proof, TokenProof
from carriers.registry import carrier_names
from config.settings import Settings, load_settings
from shipments.errors import SetupFault

_HEADING = ("name", "title", "proof", "covers the body", "codes", "secrets")


@click.group(invoke_without_command=True)
@click.pass_context
def carriers(context: click.Context) -> None:
    """List the carriers: their proof, how many codes are mapped, and whether a secret is set."""
    if context.invoked_subcommand is None:
        settings = load_settings()
        show([_HEADING, *(_row(carrier, settings) for carrier in all_carriers())])


@carriers.command()
@click.argument("name")
def codes(name: str) -> None:
    """List what the codes of the carrier NAME mean."""
    carrier = find_carrier(name)
    if carrier is None:
        raise SetupFault([f"no carrier is called {name!r}; there are {', '.join(carrier_names())}"])
    rows = [(code, meaning.milestone.value, meaning.exception_category or "") for code, meaning in carrier.codes]
    show([("code", "milestone", "exception category"), *rows])


def show(rows: Iterable[Sequence[str]]) -> None:
    """Prints the rows in columns as wide as their widest entry."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def proof_in_words(proof: Proof) -> str:
    """How a carrier proves itself, for a person."""
    match proof:
        case HmacProof(header=header, algorithm=algorithm):
            return f"HMAC {algorithm.upper()} in {header}"
        case TokenProof(header=header):
            return f"secret in {header}"
        case _:
            return f"{type(proof).__name__} in {', '.join(proof.headers)}"


def _row(carrier: Carrier, settings: Settings) -> tuple[str, ...]:
    secrets = len(settings.secrets_of(carrier.name))
    return (
        carrier.name,
        carrier.title,
        proof_in_words(carrier.proof),
        "yes" if carrier.proof.covers_body else "no",
        str(len(carrier.codes)),
        f"{secrets} set" if secrets else "none",
    )
