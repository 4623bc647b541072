"""`milepost parse`: what a message means, without a server, a database or a setting."""

import json
from typing import BinaryIO

import click

from carriers import find_carrier
from carriers.base import Message, Reading
from carriers.registry import carrier_names
from shipments.errors import Unreadable


@click.command()
@click.argument("carrier")
@click.argument("file", type=click.File("rb"), default="-")
def parse(carrier: str, file: BinaryIO) -> None:
    """Print the events of a message as a JSON array.

    FILE is the message as CARRIER posts it or answers it; standard input by default. What could not be read, and what
    is no news of a parcel, is said on standard error, a line each. Exit status 2 if the message is unreadable.
    """
    reading = read(carrier, file.read())
    said = remarks(reading)
    if reading.faults and not reading.events:
        raise Unreadable(f"nothing in it can be read: {said[-1]}")
    for line in said:
        click.echo(f"milepost: {line}", err=True)
    click.echo(json.dumps([event.to_dict() for event in reading.events], indent=2, ensure_ascii=False))


def read(name: str, body: bytes) -> Reading:
    """What that carrier means by the body. Raises Unreadable, also for a carrier nobody knows."""
    carrier = find_carrier(name)
    if carrier is None:
        raise Unreadable(f"no carrier is called {name!r}; there are {', '.join(carrier_names())}")
    return carrier.parse(Message(body))


def remarks(reading: Reading) -> list[str]:
    """What a person should know beside the events, a line each."""
    notice = [reading.notice] if reading.notice else []
    return [" ".join(line.split()) for line in [*notice, *(f"{f.where}: {f.reason}" for f in reading.faults)]]
