"""What waits in the store to be done. Whoever asks whether everything is done asks here: a new kind is one line."""

from sqlalchemy import Connection, text

_WAITING = {
    "messages received": "select count(*) from messages where state = 'received'",
    "news to be settled": "select count(*) from unsettled",
    "parcels unmatched": "select count(*) from parcels where unmatched_since is not null",
    "effects due": "select count(*) from effects where state in ('due', 'claimed')",
}


def count_waiting(connection: Connection) -> dict[str, int]:
    """How many of each kind wait at one moment. Counts all of them: for stores of a demo or a test, not for metrics."""
    counts = connection.execute(text("select " + ", ".join(f"({query})" for query in _WAITING.values()))).one()
    return dict(zip(_WAITING, counts, strict=True))
