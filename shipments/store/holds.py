"""Legal holds: what may not be pruned, with the reason and who wanted it."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Hold:
    """Either of a tracking number (as compared), or of a carrier and the time in which it was heard of (UTC).

    since, until: from then on and until before then; None is without end.
    """

    number: str | None
    carrier: str | None
    since: datetime | None
    until: datetime | None
    reason: str
    placed_by: str
    placed_at: datetime | None = None
    id: int | None = None

    @property
    def about(self) -> str:
        """What is held, in words."""
        if self.number:
            return f"tracking number {self.number}"
        span = [f"{word} {at:%Y-%m-%d %H:%M}" for word, at in (("since", self.since), ("until", self.until)) if at]
        return " ".join([f"carrier {self.carrier}", *span])


def add_hold(connection: Connection, hold: Hold) -> int:
    """Places the hold; its id."""
    query = text("""
        insert into holds (number, carrier, since, until, reason, placed_by)
        values (:number, :carrier, :since, :until, :reason, :placed_by) returning id
    """)
    return int(connection.execute(query, asdict(hold)).scalar_one())


def find_holds(connection: Connection) -> Iterator[Hold]:
    """All holds, the oldest first."""
    query = text("select number, carrier, since, until, reason, placed_by, placed_at, id from holds order by id")
    for row in connection.execute(query):
        yield Hold(**row._mapping)


def remove_hold(connection: Connection, hold_id: int) -> bool:
    """Takes the hold away; False if there is none of that id."""
    return bool(connection.execute(text("delete from holds where id = :id"), {"id": hold_id}).rowcount)
