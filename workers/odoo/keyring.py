"""The keys Milepost signs in to Odoo with: two or more while they are rotated, and the one that Odoo takes is used."""

from pathlib import Path

from config.settings import Settings
from shipments.errors import OdooRefused
from workers.odoo.keyfile import Entries, entries_of, read_entries

_REFUSED = ("Unauthorized", "AccessDenied")


class KeyRing:
    """Keys in the order in which they are tried. current: the one in use, or the password where there is no key."""

    def __init__(self, settings: Settings) -> None:
        self._keys = _secrets(entries_of(settings.odoo_api_keys)) or (settings.odoo_password,)
        self._path = settings.odoo_api_key_file
        self._refused: set[str] = set()
        self.current = self._keys[0]

    def turn(self, refusal: OdooRefused) -> bool:
        """Whether that refusal was of the key, and another one is in use now, so that the call can be made again.

        What stands in ODOO_API_KEY_FILE now counts, not at the start. After the last key all are tried again.
        """
        if not is_of_key(refusal):
            return False
        self._refused.add(self.current)
        left = [key for key in self._written() or self._keys if key not in self._refused]
        if not left:
            self._refused.clear()
            return False
        self.current = left[0]
        return True

    def _written(self) -> tuple[str, ...]:
        try:
            return _secrets(read_entries(Path(self._path))) if self._path else ()
        except OSError:
            return ()


def is_of_key(refusal: OdooRefused) -> bool:
    """Whether Odoo refused the key, and not what was asked with it."""
    return refusal.kind.rsplit(".", 1)[-1] in _REFUSED


def _secrets(entries: Entries) -> tuple[str, ...]:
    return tuple(entry.secret for entry in entries)
