"""Which of the deliveries that carry a number speak for it, kept in the index beside the number."""

from collections.abc import Collection, Iterable
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, text

from shipments.claims import Claim, stand_aside
from shipments.delivery import LEAVES_THE_HOUSE
from shipments.store.rows import as_rows

# Most numbers are on one delivery, about which there is nothing to weigh. The deliveries of a number are looked up in
# the index, and the limit, which no number reaches, tells PostgreSQL so: it would else read all numbers.
_SHARED = text("""
    with shared as materialized (
        select number from numbers where number = any(:numbers)
        group by number having count(*) > 1 or bool_or(aside is not null))
    select shared.number, s.id, s.operation, s.stage, s.registered_at, s.return_of, s.backorder_of, s.company_id
    from shared
    cross join lateral (select shipment_id from numbers n where n.number = shared.number limit 1000) n
    cross join lateral (select * from shipments s where s.id = n.shipment_id limit 1) s
    order by shared.number, s.id
""")

_SET_ASIDE = text("""
    update numbers n set aside = t.aside
    from jsonb_to_recordset(cast(:rows as jsonb)) as t (shipment_id bigint, number text, aside text)
    where n.shipment_id = t.shipment_id and n.number = t.number and n.aside is distinct from t.aside
        and n.number = any(:numbers)
    returning n.shipment_id
""")


def weigh_claims(connection: Connection, numbers: Collection[str]) -> set[int]:
    """Decides for each of those numbers anew which deliveries speak for it; the ids of those where that changed."""
    rows = connection.execute(_SHARED, {"numbers": sorted(numbers)}).all() if numbers else []
    if not rows:
        return set()
    weighed = [row for number, claims in groupby(rows, lambda row: row.number) for row in _weigh(number, claims)]
    values = {"rows": as_rows(weighed), "numbers": sorted({row["number"] for row in weighed})}
    return {row.shipment_id for row in connection.execute(_SET_ASIDE, values)}


def _weigh(number: str, rows: Iterable[Any]) -> list[dict[str, Any]]:
    claims = [_claim(row) for row in rows]
    aside = stand_aside(claims)
    ids = [claim.shipment_id for claim in claims]
    return [{"shipment_id": id_, "number": number, "aside": aside.get(id_)} for id_ in ids]


def _claim(row: Any) -> Claim:
    leaves = (row.operation or LEAVES_THE_HOUSE[0]) in LEAVES_THE_HOUSE
    is_return = row.return_of is not None and not leaves
    return Claim(row.id, leaves, row.stage or "", row.registered_at, is_return, row.backorder_of, row.company_id)
