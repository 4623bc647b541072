"""Keys that seal stored messages."""

import base64
import secrets
from datetime import UTC, datetime

import click


def make_key() -> str:
    """A new key as MILEPOST_SECRET_KEY wants it: an id with today's date, a colon, and 32 random bytes in Base64."""
    day = datetime.now(UTC).strftime("%Y%m%d")
    return f"{day}-{secrets.token_hex(3)}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


@click.command()
def new_key() -> None:
    """Print a new key for MILEPOST_SECRET_KEY.

    Put it before the old one, separated by a comma: new messages are sealed with it, old ones are still opened.
    """
    click.echo(make_key())
