"""Whose parcels: where carriers' accounts belong to companies of Odoo, a parcel is seen by its own companies only.

A parcel remembers the companies of all accounts that told of it; 0 stands for an account that belongs to none. The set
only grows, so it does not matter who told first. Nothing is remembered where no account belongs to a company.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, text

from shipments.event import Event
from shipments.store.rows import as_rows

OF_NO_COMPANY = 0

# The parcels are locked by whoever saved their events.
_NOTE = text("""
    with before as (
        select p.id, p.companies as known, t.companies as told
        from jsonb_to_recordset(cast(:rows as jsonb)) as t (
            carrier text, tracking_number text, journey text, companies int[])
        join parcels p using (carrier, tracking_number, journey)
        where p.companies is null or not p.companies @> t.companies)
    update parcels set companies = (
        select array_agg(distinct c order by c) from unnest(coalesce(known, '{}') || told) as c)
    from before where parcels.id = before.id
    returning parcels.id, known is not null as is_wider
""")


def may_see(companies: Collection[int] | None, company_id: int | None) -> bool:
    """Whether a delivery of that company shows a parcel that accounts of these companies told of."""
    return not companies or OF_NO_COMPANY in companies or company_id in companies


def note_companies(connection: Connection, told: Iterable[tuple[Event, int]]) -> list[int]:
    """Remembers for each event's parcel the company that its account belongs to; the parcels that more may see now."""
    parcels: dict[tuple[str, str, str], set[int]] = {}
    for event, company in told:
        parcels.setdefault((event.carrier, event.tracking_number, event.journey), set()).add(company)
    rows = as_rows(
        {"carrier": carrier, "tracking_number": number, "journey": journey, "companies": sorted(companies)}
        for (carrier, number, journey), companies in sorted(parcels.items())
    )
    return sorted(row.id for row in connection.execute(_NOTE, {"rows": rows}) if row.is_wider)


def of_own_companies(
    connection: Connection, matches: Mapping[int, Sequence[int]], companies: Mapping[int, Collection[int]]
) -> dict[int, list[int]]:
    """Deliveries by parcel, without those of companies that may not see it; companies: by parcel, where it has some."""
    ids = {shipment for parcel in companies for shipment in matches.get(parcel, ())}
    query = text("select id, company_id from shipments where id = any(:ids)")
    company_of = {row.id: row.company_id for row in connection.execute(query, {"ids": sorted(ids)})}
    own: dict[int, list[int]] = {}
    for parcel, shipments in matches.items():
        seen_by = companies.get(parcel)
        if seen := [s for s in shipments if not seen_by or may_see(seen_by, company_of[s])]:
            own[parcel] = seen
    return own
