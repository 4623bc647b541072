"""The command line. A command is loaded when it is called, so that `milepost parse` needs no server and no Celery."""

import sys
from importlib.metadata import entry_points, version

import click

from config.embedded import EmbeddedFault
from config.settings import BadSettings
from shipments.errors import MilepostError, Unreadable

GROUP = "milepost.commands"


class Commands(click.Group):
    """The commands that the installed packages declare as entry points."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Their names."""
        return sorted(entry_points(group=GROUP).names)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """The one of that name."""
        for found in entry_points(group=GROUP, name=name):
            command: click.Command = found.load()
            return command
        return None


@click.group(cls=Commands)
@click.version_option(version("milepost"), prog_name="milepost")
def milepost() -> None:
    """What carriers say, understood once, acted on once."""


def main() -> None:
    """Runs the command named on the command line; what went wrong is said in sentences."""
    try:
        milepost()
    except Unreadable as fault:
        sys.exit(say(fault, 2))
    except (MilepostError, BadSettings, EmbeddedFault) as fault:
        sys.exit(say(fault, 1))


def say(fault: Exception, status: int) -> int:
    """Writes every sentence of the fault on a line of standard error. Returns the exit status."""
    for sentence in str(fault).splitlines() or [type(fault).__name__]:
        click.echo(f"milepost: {sentence}", err=True)
    return status


if __name__ == "__main__":
    main()
