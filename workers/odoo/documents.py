"""Attaching to a delivery the documents that prove it: each once, found again by an external id.

A link is never followed from here: it is shown as a link, and whoever wants to see it opens it.
"""

from collections.abc import Iterator, Sequence

from workers.odoo.client import Odoo
from workers.odoo.fields import MODULE, PICKING
from workers.odoo.writes import Outcome, Work, load

ATTACHMENT = "ir.attachment"

MOST_CHARACTERS_A_CALL = 4_000_000
"""Of Base64. Proxies before Odoo often take no more than some megabytes at once."""


def write_documents(odoo: Odoo, works: Sequence[Work]) -> dict[str, Outcome]:
    """Attach the documents to their deliveries, several small ones in one call. What may not be passed on is parked."""
    refused = {w.key: Outcome("parked", w.payload["refused"], sent=False) for w in works if w.payload["refused"]}
    outcomes = dict(refused)
    for batch in _batches([work for work in works if work.key not in refused]):
        outcomes |= load(odoo, ATTACHMENT, batch, _row)
    return outcomes


def _batches(works: Sequence[Work]) -> Iterator[list[Work]]:
    batch: list[Work] = []
    characters = 0
    for work in works:
        size = len(work.payload["content"])
        if batch and characters + size > MOST_CHARACTERS_A_CALL:
            yield batch
            batch, characters = [], 0
        batch.append(work)
        characters += size
    if batch:
        yield batch


def _row(work: Work) -> dict[str, str]:
    document = work.payload
    return {
        "id": f"{MODULE}.document_{document['digest']}_{document['picking_id']}",
        "name": document["name"],
        "res_model": PICKING,
        "res_id": str(document["picking_id"]),
        "mimetype": document["mimetype"],
        "datas": document["content"],
    }
