"""What people say of the delivery of a number that Odoo carries nowhere: each word is kept, and the last counts."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from shipments.errors import Permanent
from shipments.rules.policy import Policy
from shipments.store.claims import weigh_claims
from shipments.store.companies import may_see
from shipments.store.deliveries import OtherNumber, add_other_numbers, lock_shipments
from shipments.store.events import lock_parcels_with
from shipments.store.settle import Settled, settle


@dataclass(frozen=True, slots=True)
class Link:
    """The delivery (its id) of the number (as compared), or None where that is taken back; why, and who says so."""

    number: str
    shipment_id: int | None
    reason: str
    chosen_by: str
    chosen_at: datetime | None = None


_KEEP = text("""
    insert into delivery_choices (number, shipment_id, reason, chosen_by)
    values (:number, :shipment_id, :reason, :chosen_by)
""")
_DROP = text("delete from numbers where number = :number and because is not null returning shipment_id")


def save_link(connection: Connection, link: Link, policy: Policy) -> Settled:
    """Keeps what a person said, and settles what follows: what the delivery shows, and the one that showed it before.

    What was found by a reference yields to it. Raises Permanent if Odoo carries the number, which goes over everybody,
    if nobody ever told of the number, if only other companies' accounts did, or if there is nothing to take back.
    """
    parcels = lock_parcels_with(connection, [link.number])
    if not parcels:
        raise Permanent(f"no parcel with the number {link.number} is known; `milepost parked` lists those that wait")
    sees = _deliveries_that_see(connection, parcels)
    query = "select shipment_id, because, by_person from numbers where number = :number"
    rows = connection.execute(text(query), {"number": link.number}).all()
    if any(row.because is None and sees(row.shipment_id) for row in rows):
        raise Permanent(f"Odoo carries {link.number} on a delivery; change or remove it there")
    if link.shipment_id is None and not any(row.by_person for row in rows):
        raise Permanent(f"nobody has linked {link.number}, so there is nothing to take back")
    chosen = {link.shipment_id} if link.shipment_id is not None else set()
    if not all(map(sees, chosen)):
        raise Permanent(f"the accounts that told of {link.number} belong to other companies than that delivery")
    lock_shipments(connection, {row.shipment_id for row in rows} | chosen)
    connection.execute(_KEEP, asdict(link))
    dropped = connection.execute(_DROP, asdict(link))
    changed = {row.shipment_id for row in dropped}
    if link.shipment_id is not None:
        because = f"{link.chosen_by}: {link.reason}"
        other = OtherNumber(link.shipment_id, link.number, because, None, by_person=True)
        changed |= add_other_numbers(connection, [other])
    changed |= weigh_claims(connection, [link.number])
    return settle(connection, parcels, changed, policy)


def _deliveries_that_see(connection: Connection, parcels: Sequence[int]) -> Callable[[int], bool]:
    """Whether a delivery may show any of those parcels."""
    query = text("select companies from parcels where id = any(:ids)")
    owners = connection.execute(query, {"ids": list(parcels)}).scalars().all()

    def sees(shipment: int) -> bool:
        company = connection.execute(text("select company_id from shipments where id = :id"), {"id": shipment}).scalar()
        return any(may_see(companies, company) for companies in owners)

    return sees


def find_links(connection: Connection, number: str) -> Sequence[Link]:
    """All that was ever said of that number (as compared), the last word first."""
    query = text("""
        select number, shipment_id, reason, chosen_by, chosen_at from delivery_choices
        where number = :number order by id desc
    """)
    return [Link(**row._mapping) for row in connection.execute(query, {"number": number})]


def get_delivery(connection: Connection, name: str) -> int:
    """The id of the delivery of that name or that id in Odoo. Raises Permanent unless there is exactly one."""
    which = "id = cast(:name as bigint)" if name.isdecimal() else "name = :name"
    query = text(f"select id, closed_at from shipments where {which} order by id limit 2")  # noqa: S608, from above
    found = connection.execute(query, {"name": name}).all()
    if len(found) == 1 and found[0].closed_at is None:
        return int(found[0].id)
    if found and found[0].closed_at is not None:
        raise Permanent(f"what was told of {name} was deleted when its time was over; it takes no number any more")
    if found:
        raise Permanent(f"several deliveries are called {name}; give the id in Odoo instead")
    raise Permanent(f"Milepost has not read a delivery {name} from Odoo; write the number on it there instead")
