"""`milepost odoo rotate-key`: another API key before the one in use ends, and the old ones away afterwards."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from config.settings import Settings, load_settings
from shipments.errors import SetupFault
from workers.odoo.browser import check_can_sign_in, signed_in
from workers.odoo.keyfile import Entries, Entry, change_entries, check_writable, entries_of, read_entries
from workers.odoo.keys import Key
from workers.odoo.rotation import Finish, plan_finish, revoke, rotate

_FINISH = "`milepost odoo rotate-key --finish`"


@click.command("rotate-key")
@click.option("--finish", "is_finish", is_flag=True, help="Revoke the older keys that this command made.")
@click.option("--dry-run", is_flag=True, help="Only say what would be done; no password is asked for.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def rotate_command(is_finish: bool, dry_run: bool, password_stdin: bool) -> None:
    """Make another API key in Odoo, in front of those in the file of ODOO_API_KEY_FILE; the old ones stay alive.

    Asks for the password of ODOO_LOGIN, because Odoo lets nobody make a key without; it is kept nowhere. Without a
    file the key is printed. Then, whenever you like: --finish.
    """
    settings = load_settings()
    path = Path(settings.odoo_api_key_file) if settings.odoo_api_key_file else None
    if path:
        _check(path)
    if is_finish:
        _finish(settings, path, dry_run=dry_run, password_stdin=password_stdin)
    elif dry_run:
        where = f"put it in front of {_count(read_entries(path))} in {path}" if path else "print it"
        click.echo(f"would sign in to {settings.odoo_url} as {settings.odoo_login}, make a key, try it and {where}")
    else:
        _rotate(settings, path, _password(settings, from_stdin=password_stdin))


def _rotate(settings: Settings, path: Path | None, password: str) -> None:
    def place(entry: Entry) -> None:
        if path is None:
            click.echo(entry.written())
        else:
            _change(path, lambda entries: (entry, *entries))

    was_open = path is not None and path.stat().st_mode & 0o007
    with signed_in(settings, password) as person:
        key = rotate(settings, person, place)
    ends = f"ends on {key.ends:%Y-%m-%d}" if key.ends else "lives for ever"
    if path:
        _say(f"The new key, {key.name} in Odoo, is the first in {path}, was tried, and {ends}.")
        _say(f"No process needs a restart. The old keys stay alive until {_FINISH}.")
        if was_open:
            _say("Everybody on this machine could use it, and cannot now: workers must be its owner or in its group.")
    else:
        _say(f"This is the new key, {key.name} in Odoo; it was tried, {ends}, and is not shown again.")
        _say("Put it in front of the others in ODOO_API_KEY, with a comma between them, and restart the workers.")
        _say(f"The old keys stay alive until {_FINISH}, which is for after the restart.")


def _finish(settings: Settings, path: Path | None, *, dry_run: bool, password_stdin: bool) -> None:
    finish = plan_finish(settings, read_entries(path) if path else entries_of(settings.odoo_api_keys))
    if finish.kept is None:
        _say("The key in use was made by a person, so which keys are older is not known, and none is revoked.")
        return
    if not finish.old and not finish.dropped:
        click.echo(f"Nothing to do: no key that Milepost made is older than {finish.kept.name}, the one in use.")
    elif dry_run:
        click.echo("\n".join(f"would {line}" for line in _lines(finish, path)))
    else:
        _perform(settings, finish, path, password_stdin=password_stdin)
    if finish.by_hand:
        _say(
            f"{finish.by_hand} made by a person stay: delete them in Odoo (Preferences, Security), then run this again."
        )


def _perform(settings: Settings, finish: Finish, path: Path | None, *, password_stdin: bool) -> None:
    if finish.old:
        with signed_in(settings, _password(settings, from_stdin=password_stdin)) as person:
            revoke(person, finish.old)
    if path and finish.dropped:
        _change(path, lambda entries: tuple(entry for entry in entries if entry not in finish.dropped))
    click.echo("\n".join(_lines(finish, path)))


def _lines(finish: Finish, path: Path | None) -> list[str]:
    lines = [f"revoke {key.name}{_until(key)}" for key in finish.old]
    if finish.dropped and path:
        lines.append(f"take {_count(finish.dropped)} out of {path}")
    elif finish.dropped:
        lines.append(f"leave it to you to take {_count(finish.dropped)} out of ODOO_API_KEY: all but the one in use")
    return lines


def _until(key: Key) -> str:
    return f", which ends on {key.ends:%Y-%m-%d}" if key.ends else ""


def _count(entries: Entries) -> str:
    return "1 key" if len(entries) == 1 else f"{len(entries)} keys"


def _password(settings: Settings, *, from_stdin: bool) -> str:
    check_can_sign_in(settings)
    if not from_stdin:
        return str(click.prompt(f"Password of {settings.odoo_login} in Odoo", hide_input=True, err=True))
    if password := sys.stdin.readline().rstrip("\r\n"):
        return password
    raise click.UsageError("There is no password on standard input.")


def _check(path: Path) -> None:
    try:
        check_writable(path)
    except OSError as fault:
        raise SetupFault([_unwritable(path, fault)]) from fault


def _change(path: Path, change: Callable[[Entries], Entries]) -> None:
    try:
        change_entries(path, change)
    except OSError as fault:
        raise SetupFault([_unwritable(path, fault)]) from fault


def _unwritable(path: Path, fault: OSError) -> str:
    return (
        f"{path} cannot be written ({fault.strerror}): its folder must be writable, too, and where it is mounted into a"
        " container, mount the folder. Without ODOO_API_KEY_FILE the key is printed."
    )


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)
