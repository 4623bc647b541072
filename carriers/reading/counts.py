"""How many pieces a carrier announces."""

from typing import Any

from carriers.reading.values import text

MOST_PIECES = 9999


def piece_count(value: Any) -> int | None:
    """The count of pieces where it is more than one; None where it says nothing, is one, or is no such count."""
    written = text(value) or ""
    if not (written.isascii() and written.isdigit() and len(written) <= 9):
        return None
    count = int(written)
    return count if 1 < count <= MOST_PIECES else None
