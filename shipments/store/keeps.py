"""Which deliveries and orders people keep as they are in Odoo, by the key of the effect that says where they stand."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, text

from shipments.keep import Keep, Why
from shipments.store.effects import repeat_effects
from shipments.store.rows import as_rows


class Noted(NamedTuple):
    """The keys of those that are kept from now on, with the reason, and of those that were unlocked."""

    kept: dict[str, Why]
    unlocked: list[str]


_ADD = text("""
    insert into keeps (key, why, kept_by, kept_at)
    select key, why, kept_by, kept_at
    from jsonb_to_recordset(cast(:rows as jsonb)) as t (key text, why text, kept_by text, kept_at timestamptz)
    on conflict do nothing
    returning key, why
""")

_DROP = text("delete from keeps where key = any(:keys) returning key")


def note_keeps(connection: Connection, seen: Mapping[str, Keep | None]) -> Noted:
    """Takes over what Odoo shows: by effect key who keeps it, None where nobody does.

    What is news is performed again: first the sentence that says so, and once it is unlocked the right state. Who keeps
    what is kept already is not asked again: the sentence we write makes us the last to have written.
    """
    rows = as_rows(
        {"key": key, "why": keep.why, "kept_by": keep.by, "kept_at": keep.at.isoformat()}
        for key, keep in sorted(seen.items())
        if keep
    )
    kept = {row.key: Why(row.why) for row in connection.execute(_ADD, {"rows": rows})}
    free = sorted(key for key, keep in seen.items() if keep is None)
    unlocked = sorted(row.key for row in connection.execute(_DROP, {"keys": free}))
    repeat_effects(connection, [*kept, *unlocked])
    return Noted(kept, unlocked)


def find_keeps(connection: Connection, keys: Collection[str]) -> dict[str, Keep]:
    """Those of the keys that are kept."""
    query = text("select key, why, kept_by, kept_at from keeps where key = any(:keys)")
    rows = connection.execute(query, {"keys": list(keys)})
    return {row.key: Keep(Why(row.why), row.kept_by, row.kept_at) for row in rows}
