"""API keys in the stand-in."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.odoo import Store

KEY_MODELS = {
    "res.users.apikeys": "name:char user_id:many2one:res.users expiration_date:datetime key:char",
}
_KEYS = "res.users.apikeys"


def live_keys(store: "Store") -> set[str]:
    """The secrets that open the door."""
    return {row["key"] for row in store.models[_KEYS].records.values() if row["key"]}
