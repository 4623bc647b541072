"""The API keys of Milepost's own user in Odoo: what they are called, and when they end."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shipments.clock import now
from workers.odoo.client import Odoo

ENDS_SOON = timedelta(days=14)
_KEYS = "res.users.apikeys"


@dataclass(frozen=True)
class Key:
    """A key as Odoo lists it, without the secret. ends: in UTC; None if it lives for ever."""

    id: int
    name: str
    ends: datetime | None


def find_keys(odoo: Odoo, user: int | None = None) -> list[Key]:
    """The keys of that user or of our own, the one that ends first in front; which one is in use, Odoo does not say.

    Raises OdooRefused where our user may not see them.
    """
    fields = ["name", "expiration_date"] if odoo.version >= (18, 0) else ["name"]  # until then keys lived for ever
    rows = odoo.call(_KEYS, "search_read", domain=[("user_id", "=", user or odoo.uid)], fields=fields)
    keys = [Key(row["id"], row["name"], _moment(row.get("expiration_date"))) for row in rows]
    return sorted(keys, key=lambda key: (key.ends is None, key.ends, key.id))


def days_left(ends: datetime) -> float:
    """How many days a key lives from now on; below 0 once it has ended."""
    return (ends - now()) / timedelta(days=1)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None
