"""Which documents are attached to a delivery in Odoo: those that prove it and came whole."""

from collections.abc import Iterable
from typing import Any

from shipments.effects import Effect, Kind
from shipments.event import Event
from shipments.fold import Dated
from shipments.proof import PROOF, Document, document_of
from shipments.rules.policy import Policy


def decide_documents(delivery_id: int, entries: Iterable[Dated], policy: Policy) -> list[Effect]:
    """An attachment for each document among those events, once however many events bring the same one."""
    effects = []
    for _, event, _ in entries:
        proof = event.proof_of_delivery
        if proof and proof.document and policy.shows(event.milestone) and not event.is_test and not event.retracts:
            document = document_of(proof.document)
            if document:
                payload = _payload(delivery_id, event, document)
                effects.append(Effect(f"document:{delivery_id}:{document.digest}", Kind.DOCUMENT, delivery_id, payload))
    return effects


def _payload(delivery_id: int, event: Event, document: Document) -> dict[str, Any]:
    """refused: why it is not attached; content: Base64."""
    return {
        "picking_id": delivery_id,
        "digest": document.digest,
        "name": f"{PROOF} {event.tracking_number}.{document.extension}",
        "mimetype": document.mimetype,
        "content": document.content,
        "refused": document.refused,
    }
