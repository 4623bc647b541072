"""What Geodis answers: `contenu.listSuivis[]` of one shipment, or a list of shipments in `contenu`; newest first."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    country,
    iso_moment,
    leg_of,
    load_json,
    moment,
    read_beside,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, Reference, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
SENT_BACK = "SOL/REO"
REFERENCES = {
    "noRecepisse": "receipt",
    "reference1": "reference1",
    "reference2": "reference2",
    "reference3": "reference3",
    "noSuiviSwapAller": "exchange_tracking_number",
    "noSuiviSwapRetour": "return_tracking_number",
}
_TOWN = re.compile(r"(.+?)\s*\(([A-Z]{2})\)")


def parse(message: Message) -> Reading:
    """The events of an answer; a notice for an error, and for a shipment of which nothing is known yet."""
    body = as_object(load_json(message.body), "the body")
    if body.get("ok") is False or (text(body.get("codeErreur")) and not body.get("contenu")):
        said = (text(body.get("codeErreur")), text(body.get("texteErreur")))
        return Reading(notice=f"Geodis answered with an error: {', '.join(filter(None, said)) or 'unnamed'}")
    if "contenu" not in body:
        raise Unreadable("there is neither contenu nor an error in the body")
    shipments = as_list(body["contenu"], "contenu")
    return read_parts(shipments, "contenu", _read_shipment) if shipments else Reading(notice="Geodis lists no shipment")


@dataclass(frozen=True, slots=True)
class _Shipment:
    """What holds for every event. `sent_back`: since when, as `YYYY-MM-DD HH:MM:SS`; empty if it is not."""

    number: str
    references: tuple[Reference, ...]
    expected: When
    sent_back: str


def _read_shipment(value: Any, where: str) -> Reading:
    item = as_object(value, "a shipment")
    number = tracking_number(item.get("noSuivi"))
    steps = as_list(item.get("listSuivis"), "listSuivis")
    if not steps:
        return Reading(notice=f"Geodis has no events of {number} yet")
    expected, faults = read_beside(
        f"{where}.dateLivraisonPrevue", lambda: iso_moment(item.get("dateLivraisonPrevue"))[0]
    )
    references = as_references((kind, item.get(name)) for name, kind in REFERENCES.items())
    shipment = _Shipment(number, references, expected, min(_sent_back(steps), default=""))
    reading = read_each(steps, f"{where}.listSuivis", lambda step: (_read_step(step, shipment),))
    return Reading(reading.events, reading.faults + faults)


def _read_step(value: Any, shipment: _Shipment) -> Event:
    step = as_object(value, "an event")
    code = text(step.get("codeSituationJustification"))
    if not code:
        raise Unreadable("the event has no codeSituationJustification")
    meaning = CODES.look_up("", code)
    place = _location(step)
    written = _written(step)
    at, quality = moment(written, "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", country_code=place.country)
    came_back = meaning.milestone is Milestone.DELIVERED and bool(shipment.sent_back) and written > shipment.sent_back
    milestone = Milestone.RETURNED if came_back else meaning.milestone
    return Event(
        carrier="geodis",
        tracking_number=shipment.number,
        milestone=milestone,
        exception_category=meaning.exception_category,
        code=code,
        occurred_at=at,
        occurred_text=written,
        time_quality=quality,
        leg=leg_of(milestone),
        description=text(step.get("libelleSuivi")) or text(step.get("libelleCourtSuivi")),
        location=place,
        estimated_delivery_at=shipment.expected,
        references=shipment.references,
    )


def _written(step: dict[str, Any]) -> str:
    return f"{text(step.get('dateSuivi')) or ''} {text(step.get('heureSuivi')) or ''}".strip()


def _sent_back(steps: list[Any]) -> Iterator[str]:
    for step in steps:
        if isinstance(step, dict) and text(step.get("codeSituationJustification")) == SENT_BACK:
            yield _written(step)


def _location(step: dict[str, Any]) -> Location:
    """The agency's code, and its town and country, which stand in one text: `Rochefort (FR)`."""
    agency, name = text(step.get("codeSa")), text(step.get("libelleCentre"))
    if name and (match := _TOWN.fullmatch(name)):
        return Location(facility=agency, city=match[1], country=country(match[2]))
    return Location(facility=agency, city=name if name != agency else None)
