"""A new key for Odoo in front of the old ones, and later the old ones away: in between both live, none is refused."""

import re
import secrets
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace

from config.settings import Settings
from shipments.clock import now
from shipments.errors import MilepostError, OdooAway, OdooRefused, SetupFault
from workers.odoo.browser import Person
from workers.odoo.client import Odoo, OdooLockedOut, connect
from workers.odoo.keyfile import NAME, Entries, Entry
from workers.odoo.keyring import is_of_key
from workers.odoo.keys import Key, find_keys

_KEYS, _WIZARD = "res.users.apikeys", "res.users.apikeys.description"


class NotRotated(MilepostError):
    """There is no new key. The text says why, and what became of the one that was begun."""


def rotate(settings: Settings, person: Person, place: Callable[[Entry], None]) -> Key:
    """A new key, tried with a call and then handed to `place`, which raises SetupFault if it cannot keep it.

    Raises NotRotated, or whatever else happened, after the new key was revoked again.
    """
    name = f"{now():%Y%m%d}-{secrets.token_hex(3)}"
    title = f"Milepost {settings.environment} {name}"
    wizard = _prepare(person, title)
    try:
        secret = person.confirmed(_WIZARD, "make_key", wizard)["context"]["default_key"]
        [key] = [key for key in find_keys(person.odoo) if key.name == title]
        _connect(settings, secret).close()
        place(Entry(name, secret))
    except MilepostError as fault:
        outcome = _take_back(person, title, is_sure=not isinstance(fault, OdooAway))
        raise NotRotated(f"{str(fault).rstrip('.')}. {outcome}") from fault
    except BaseException:
        _take_back(person, title, is_sure=False)
        raise
    return key


def _prepare(person: Person, title: str) -> list[int]:
    """What Odoo makes a key of, with the longest life it offers to this user."""
    values = {"name": title}
    fields = person.odoo.call(_WIZARD, "fields_get", attributes=["selection"])
    if "duration" in fields:  # until Odoo 17 keys live for ever
        days = [int(days) for days, _ in fields["duration"]["selection"] if int(days) > 0]
        if not days:
            raise OdooRefused("Odoo lets none of this user's keys live for a day: see its groups' API key duration.")
        values["duration"] = str(max(days))
    wizard: list[int] = person.odoo.call(_WIZARD, "create", vals_list=[values])
    return wizard


def _take_back(person: Person, title: str, *, is_sure: bool) -> str:
    """Revokes the key of that name if there is one. is_sure: where there is none, none will be.

    Returns what became of it.
    """
    try:
        ids = [key.id for key in find_keys(person.odoo) if key.name == title]
        if ids:
            person.confirmed(_KEYS, "remove", ids)
    except MilepostError:
        ids, is_sure = [], False
    if ids:
        return "The new key was revoked again, and nothing has changed."
    if is_sure:
        return "Nothing has changed."
    return f"A key named {title} may be left in Odoo: delete it there (Preferences, Security)."


def _connect(settings: Settings, secret: str) -> Odoo:
    """Odoo, after a call with that key alone. Raises OdooLockedOut if it is not taken."""
    odoo = connect(replace(settings, odoo_api_keys=(secret,), odoo_api_key_file="", odoo_password=""))
    odoo.call("res.users", "context_get")
    return odoo


@dataclass(frozen=True)
class Finish:
    """What the second step does. kept: the key in use; None if a person made it: then it is not known which are older.

    old: what it revokes. dropped: what it takes out of the file. by_hand: how many keys of a person's stay there.
    """

    kept: Key | None
    old: tuple[Key, ...] = ()
    dropped: Entries = ()
    by_hand: int = 0


def plan_finish(settings: Settings, entries: Entries) -> Finish:
    """Which of the keys that Milepost made are older than the first of those entries that Odoo takes.

    Raises SetupFault if Odoo takes none of them, OdooAway, or OdooRefused where our user may not see its keys.
    """
    used = next((entry for entry in entries if _is_taken(settings, entry)), None)
    if used is None:
        raise SetupFault(["Odoo takes none of the keys, so none is revoked: run `milepost odoo rotate-key` first."])
    with closing(_connect(settings, used.secret)) as odoo:
        keys = {_name(key): key for key in find_keys(odoo)}
    kept = keys.get(used.name)
    if kept is None:
        return Finish(None)
    ours = {entry.name for entry in entries if entry.name}
    is_ours = re.compile(f"Milepost {re.escape(settings.environment)} {NAME}").fullmatch
    old = {name: key for name, key in keys.items() if key.id < kept.id and (name in ours or is_ours(key.name))}
    left = [entry for entry in entries if entry.name in ours & (keys.keys() - old.keys())]
    by_hand = [entry for entry in entries if not entry.name and _is_taken(settings, entry)]
    dropped = tuple(entry for entry in entries if entry not in left and entry not in by_hand)
    return Finish(kept, tuple(old.values()), dropped, len(by_hand))


def revoke(person: Person, keys: tuple[Key, ...]) -> None:
    """Nobody gets in with those keys from then on. Raises OdooAway or OdooRefused."""
    person.confirmed(_KEYS, "remove", [key.id for key in keys])


def _is_taken(settings: Settings, entry: Entry) -> bool:
    try:
        _connect(settings, entry.secret).close()
    except OdooLockedOut as refusal:
        if not is_of_key(refusal):
            raise
        return False
    return True


def _name(key: Key) -> str:
    """The last word of what the key is called in Odoo; only of those that Milepost made is it a name of ours."""
    return key.name.rpartition(" ")[2]
