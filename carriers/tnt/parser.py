"""What TNT answers: ExpressConnect Tracking, `TrackResponse/Consignment/StatusData`, newest status first."""

from dataclasses import dataclass
from pathlib import Path
from xml.etree.ElementTree import Element

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import join, leg_of, load_xml, moment, read_each, read_parts, text, tracking_number
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, TimeQuality, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))
Fields = dict[str, Element]
"""The children of an element by name; of a name that stands twice, the last."""

SENT_BACK = "RTS"
NOT_FOUND = "CNF"


def parse(message: Message) -> Reading:
    """The events of an answer; a notice for a number TNT does not know, an error, and an answer cut in pages."""
    root = load_xml(message.body, message.headers.get("content-type", ""))
    consignments, errors = root.findall("Consignment"), root.findall("Error")
    if root.tag != "TrackResponse" or not (consignments or errors):
        raise Unreadable("there is no TrackResponse with consignments or an error in it")
    said = [Reading(notice=_error(error)) for error in errors]
    if text(root.findtext("ContinuationKey")):
        said.append(Reading(notice="TNT has more consignments than this answer holds; ask again with its key."))
    if consignments:
        said.append(read_parts(consignments, "Consignment", _read_consignment))
    return join(said)


def _error(error: Element) -> str:
    code, words = text(error.findtext("Code")), text(error.findtext("Message"))
    return f"TNT answered with an error: {code or 'no code'}, {words or 'no words'}"


@dataclass(frozen=True, slots=True)
class _Consignment:
    """What holds for every status of a consignment. `sent_back`: since when, as `YYYYMMDD HHMM`; empty if it is not."""

    number: str
    references: tuple[Reference, ...]
    proof: ProofOfDelivery | None
    sent_back: str


def _read_consignment(item: Element, where: str) -> Reading:
    fields = _fields(item)
    number = tracking_number(_said(fields, "ConsignmentNumber"))
    statuses = [child for child in item if child.tag == "StatusData"]
    if not statuses:
        return _read_summary(fields, number)
    consignment = _Consignment(
        number,
        _references(fields),
        _proof(fields),
        min((_plain(f) for f in map(_fields, statuses) if _said(f, "StatusCode") == SENT_BACK), default=""),
    )
    return read_each(statuses, f"{where}.StatusData", lambda status: (_read_status(status, consignment),))


def _read_status(item: Element, consignment: _Consignment) -> Event:
    status = _fields(item)
    code = _said(status, "StatusCode")
    if not code:
        raise Unreadable("the status has no StatusCode")
    meaning = CODES.look_up("", code)
    at, written, quality = _time(status, "LocalEvent")
    delivered = meaning.milestone is Milestone.DELIVERED
    came_back = delivered and bool(consignment.sent_back) and written > consignment.sent_back
    milestone = Milestone.RETURNED if came_back else meaning.milestone
    depot, name = _said(status, "Depot"), _said(status, "DepotName")
    return Event(
        carrier="tnt",
        tracking_number=consignment.number,
        milestone=milestone,
        exception_category=meaning.exception_category,
        code=code,
        occurred_at=at,
        occurred_text=written,
        time_quality=quality,
        leg=leg_of(milestone),
        description=_said(status, "StatusDescription"),
        location=Location(facility=depot, city=name if name != depot else None),
        proof_of_delivery=consignment.proof if delivered and not came_back else None,
        references=consignment.references,
    )


def _read_summary(item: Fields, number: str) -> Reading:
    """A consignment without statuses: not found, or asked for without details, and then only the summary tells."""
    summary = _said(item, "SummaryCode")
    if summary == NOT_FOUND:
        return Reading(notice=f"TNT does not know the consignment {number}.")
    if not summary:
        raise Unreadable("the consignment has neither statuses nor a SummaryCode")
    meaning = CODES.look_up("summary", summary)
    delivered = meaning.milestone is Milestone.DELIVERED
    at, written, quality = _time(item, "Delivery") if delivered else (None, "", TimeQuality.NONE)
    event = Event(
        carrier="tnt",
        tracking_number=number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code_list="summary",
        code=summary,
        occurred_at=at,
        occurred_text=written,
        time_quality=quality,
        proof_of_delivery=_proof(item) if delivered else None,
        references=_references(item),
    )
    return Reading((event,))


def _references(item: Fields) -> tuple[Reference, ...]:
    written = _said(item, "CustomerReference")
    return (Reference("customer_reference", written),) if written else ()


def _proof(item: Fields) -> ProofOfDelivery | None:
    """Who signed; a time that cannot be read is left out, since the delivery has one of its own."""
    signed_by = _said(item, "Signatory")
    if not signed_by:
        return None
    try:
        at: When = _time(item, "Delivery")[0]
    except Unreadable:
        at = None
    return ProofOfDelivery(signed_by, at.isoformat() if at else None)


def _time(item: Fields, of: str) -> tuple[When, str, TimeQuality]:
    """The time as `YYYYMMDD` and `HHMM` write it: local to a depot whose country nobody tells."""
    written = _written(item, of)
    at, quality = moment(written, "%Y%m%d %H%M", "%Y%m%d")
    return at, written, quality


def _plain(status: Fields) -> str:
    """Date and time of a status as they stand there; for comparing, so in the order of time."""
    return f"{_said(status, 'LocalEventDate') or ''} {_said(status, 'LocalEventTime') or ''}".strip()


def _written(item: Fields, of: str) -> str:
    return f"{_leaf(item, f'{of}Date', 'YYYYMMDD')} {_leaf(item, f'{of}Time', 'HHMM')}".strip()


def _leaf(item: Fields, name: str, shape: str) -> str:
    found = item.get(name)
    if found is None:
        return ""
    if found.get("format", shape) != shape:
        raise Unreadable(f"{name} is not written as {shape}")
    return text(found.text) or ""


def _fields(item: Element) -> Fields:
    return {child.tag: child for child in item}


def _said(fields: Fields, name: str) -> str | None:
    found = fields.get(name)
    return None if found is None else text(found.text)
