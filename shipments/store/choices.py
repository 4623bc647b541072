"""What people say of a number's carrier, over what was guessed from the number: each word is kept, the last counts."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import Connection, text

from shipments.correlation import comparable
from shipments.event import CARRIER, CARRIER_GUESS, Event, Reference
from shipments.store.events import Told


@dataclass(frozen=True, slots=True)
class Choice:
    """Who carries the number (as compared), or None where an earlier choice is taken back; why, and who says so."""

    number: str
    carrier: str | None
    reason: str
    chosen_by: str
    chosen_at: datetime | None = None


def add_choice(connection: Connection, choice: Choice) -> list[UUID]:
    """Keeps the choice. The messages that told first of that number's events, which have to be replayed for it."""
    query = text("""
        insert into carrier_choices (number, carrier, reason, chosen_by)
        values (:number, :carrier, :reason, :chosen_by)
    """)
    connection.execute(query, asdict(choice))
    told_by = text("""
        select distinct e.message_id from parcels p join events e on e.parcel_id = p.id where p.number = :number
    """)
    return [row.message_id for row in connection.execute(told_by, {"number": choice.number})]


def find_choices(connection: Connection, numbers: Collection[str]) -> Mapping[str, Sequence[Choice]]:
    """All that was ever said of those numbers (as compared), the last word first."""
    query = text("""
        select number, carrier, reason, chosen_by, chosen_at from carrier_choices
        where number = any(:numbers) order by id desc
    """)
    found: dict[str, list[Choice]] = {}
    for row in connection.execute(query, {"numbers": sorted(numbers)}):
        found.setdefault(row.number, []).append(Choice(**row._mapping))
    return found


def apply_choices(connection: Connection, told: Iterable[Told]) -> list[Told]:
    """The tellings, those whose carrier was guessed with what people say of it. Asks nothing where none was."""
    told = list(told)
    guessed = {comparable(t.event.tracking_number) for t in told if _is_guessed(t.event)}
    if not guessed:
        return told
    said = {number: choices[0].carrier for number, choices in find_choices(connection, guessed).items()}
    return [t._replace(event=_chosen(t.event, said)) if _is_guessed(t.event) else t for t in told]


def _is_guessed(event: Event) -> bool:
    return any(reference.type == CARRIER_GUESS for reference in event.references)


def _chosen(event: Event, said: Mapping[str, str | None]) -> Event:
    """The guess stays beside the choice, so that it can be seen what was decided over."""
    carrier = said.get(comparable(event.tracking_number))
    return replace(event, references=(Reference(CARRIER, carrier), *event.references)) if carrier else event
