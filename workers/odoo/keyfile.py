"""API keys as they are written down: in ODOO_API_KEY, or in the file behind ODOO_API_KEY_FILE, which can be changed.

A key that Milepost made stands behind its name, such as 20261130-3f9c1a:KEY, by which it is found again in Odoo.
"""

import os
import re
import tempfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

NAME = r"\d{8}-[0-9a-f]{6}"
_NAMED = re.compile(f"({NAME}):(.+)")


@dataclass(frozen=True)
class Entry:
    """A key as it is written down. name: empty if a person made it."""

    name: str
    secret: str = field(repr=False)

    def written(self) -> str:
        """As it stands in the file, the secret with it."""
        return f"{self.name}:{self.secret}" if self.name else self.secret


Entries = tuple[Entry, ...]


def entries_of(texts: Iterable[str]) -> Entries:
    """Those keys, with their names taken from them."""
    return tuple(Entry(found[1], found[2]) if (found := _NAMED.fullmatch(text)) else Entry("", text) for text in texts)


def read_entries(path: Path) -> Entries:
    """The keys in that file, comma-separated. Raises OSError."""
    return entries_of(filter(None, (text.strip() for text in path.read_text(encoding="utf-8").split(","))))


def change_entries(path: Path, change: Callable[[Entries], Entries]) -> None:
    """Puts into the file what `change` makes of its keys. Raises OSError, and the file is as it was.

    Whoever reads it meanwhile finds the old keys or the new ones, never half of them. It keeps its mode and its owner,
    but is taken from the rest of the world. A link stays one.
    """
    path = path.resolve()
    was = path.stat()
    text = ",".join(entry.written() for entry in change(read_entries(path))) + "\n"
    handle, temporary = _beside(path)
    try:
        with open(handle, "w", encoding="utf-8") as file:
            os.fchown(handle, was.st_uid, was.st_gid)
            os.fchmod(handle, was.st_mode & 0o770)
            file.write(text)
            file.flush()
            os.fsync(handle)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def check_writable(path: Path) -> None:
    """Raises OSError if the file could not be changed: a new one is put in its place, so its folder counts."""
    path = path.resolve()
    path.stat()
    handle, temporary = _beside(path)
    os.close(handle)
    os.unlink(temporary)


def _beside(path: Path) -> tuple[int, str]:
    return tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
