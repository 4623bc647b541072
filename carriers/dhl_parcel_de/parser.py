"""What an answer of Parcel DE Tracking (d-get-piece-detail) means: nested `data` elements, the values in attributes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_references,
    country,
    load_xml,
    moment,
    on_leg,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Leg, Location, ProofOfDelivery, Reference
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

_SHAPES = ("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y")
_REFERENCES = {
    "piece-customer-reference": "customer_reference",
    "shipment-customer-reference": "shipment_reference",
    "upu": "upu",
    "airway-bill-number": "air_waybill",
}
_CURRENT = {"event-timestamp": "status-timestamp", "event-status": "status", "event-short-status": "short-status"}
"""Where the current status, in the attributes of the shipment, has what an event has under another name."""


def parse(message: Message) -> Reading:
    """The events of every piece in the answer; a notice for pieces that DHL has nothing on."""
    root = load_xml(message.body, message.headers.get("content-type", ""))
    if root.tag != "data" or not root.attrib:
        raise Unreadable("the root is no data element of a tracking answer")
    pieces = [child for child in root if child.tag == "data"]
    if pieces:
        return read_parts(pieces, "pieces", _read_piece)
    said = text(root.get("error")) or text(root.get("error-status"))
    if said or text(root.get("code")):
        return Reading(notice=f"DHL answered: {said or 'no piece'} (code {text(root.get('code')) or 'not stated'}).")
    raise Unreadable("there is no piece in the answer")


@dataclass(frozen=True, slots=True)
class _Piece:
    """What holds for every event of a piece. `land`: of the whole way. `proof_time`: of its delivery."""

    number: str
    land: str | None
    references: tuple[Reference, ...]
    recipient: str | None
    proof_time: str | None


def _read_piece(element: Element, where: str) -> Reading:
    about = element.attrib
    number = tracking_number(text(about.get("piece-code")) or about.get("piece-identifier"))
    status = text(about.get("error-status"))
    if status and status != "0":
        return Reading(notice=f"DHL has nothing on {number}: {text(about.get('status')) or f'error {status}'}")
    origin, destination = country(about.get("origin-country")), country(about.get("dest-country"))
    piece = _Piece(
        number=number,
        land=origin if origin == destination else None,
        references=as_references((kind, about.get(name)) for name, kind in _REFERENCES.items()),
        recipient=text(about.get("recipient-name")),
        proof_time=text(about.get("status-timestamp")) if about.get("delivery-event-flag") == "1" else None,
    )
    items = [event for inner in element if inner.tag == "data" for event in inner if event.tag == "data"]
    listed = read_each(items, f"{where}.events", lambda item: (_read_event(item.attrib, piece),))
    summary = read_each([about], f"{where}.status", lambda item: _read_summary(item, piece, listed))
    reading = Reading((*listed.events, *summary.events), (*listed.faults, *summary.faults))
    if not reading.events and not reading.faults:
        return Reading(notice=f"DHL has no event of {number} yet.")
    return reading


def _read_summary(about: Mapping[str, str], piece: _Piece, listed: Reading) -> Iterable[Event]:
    """The current status, where no listed event has its time and code."""
    code, written = text(about.get("standard-event-code")), text(about.get("status-timestamp"))
    if not code or any(event.code == code and event.occurred_text == (written or "") for event in listed.events):
        return ()
    item = {**about, **{name: about.get(beside, "") for name, beside in _CURRENT.items()}}
    return (_read_event(item, piece),)


def _read_event(item: Mapping[str, str], piece: _Piece) -> Event:
    code = text(item.get("standard-event-code"))
    if not code:
        raise Unreadable("an event has no standard-event-code")
    land = country(item.get("event-country"))
    written = text(item.get("event-timestamp")) or ""
    occurred_at, quality = moment(written, *_SHAPES, country_code=land or piece.land)
    meaning = CODES.look_up("", code)
    delivered = meaning.milestone is Milestone.DELIVERED
    leg = Leg.RETURN if item.get("ruecksendung") == "true" else Leg.OUTBOUND
    signed = delivered and leg is Leg.OUTBOUND and piece.recipient and written == piece.proof_time
    internal = "/".join(filter(None, (text(item.get("ice")), text(item.get("ric")))))
    return Event(
        carrier="dhl_parcel_de",
        tracking_number=piece.number,
        leg=leg,
        milestone=on_leg(meaning.milestone, leg),
        exception_category=meaning.exception_category,
        code=code,
        description=_words(item, piece.recipient),
        occurred_at=occurred_at,
        occurred_text=written,
        time_quality=quality,
        location=Location(city=text(item.get("event-location")), country=land),
        proof_of_delivery=ProofOfDelivery(piece.recipient, occurred_at.isoformat() if occurred_at else None)
        if signed
        else None,
        references=(*piece.references, Reference("ice/ric", internal)) if internal else piece.references,
    )


def _words(item: Mapping[str, str], recipient: str | None) -> str | None:
    """DHL's words, the long ones first, without those that name who received it."""
    for name in ("event-status", "event-text", "event-short-status"):
        words = text(item.get(name))
        if words and not (recipient and recipient.casefold() in words.casefold()):
            return words
    return None
