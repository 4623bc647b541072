"""The answers of Royal Mail's Tracking API v2: events of one item, summaries of many, a signature; one `mailPieces`."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    dig,
    first_text,
    iso_moment,
    leg_of,
    load_json,
    read_beside,
    read_each,
    read_parts,
    text,
    tracking_number,
    turned_back,
    with_estimate,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, ProofOfDelivery, Reference, When
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))

_DAY = 10
"""The characters of the day in an ISO time."""

Common = tuple[str, tuple[Reference, ...], ProofOfDelivery | None]
"""What holds for every event of an item: its number, its references, who signed."""


def parse(message: Message) -> Reading:
    """The events of an answer; a notice for a signature, an item that is not known and an error."""
    body = as_object(load_json(message.body), "the body")
    if pieces := as_list(body.get("mailPieces"), "mailPieces"):
        return read_parts(pieces, "mailPieces", _read_piece)
    if said := _error_words(body):
        return Reading(notice=f"Royal Mail answered with an error: {said}")
    if "mailPieces" in body:
        return Reading(notice="Royal Mail answered without an item.")
    raise Unreadable("there are neither mailPieces nor errors in the body")


def _read_piece(value: Any, where: str) -> Reading:
    piece = as_object(value, "an item")
    summary = piece.get("summary")
    common = _common(piece, summary)
    listed = as_list(piece.get("events"), "events")
    read = read_each(listed, f"{where}.events", lambda item: (_read_event(item, common),))
    last = read_each([summary], f"{where}.summary", lambda item: _read_last(item, common, read))
    events, faults = read.events + last.events, read.faults + last.faults
    if not events and not faults:
        return Reading(notice=_why_nothing(piece, common[0]))
    expected, damage = read_beside(f"{where}.estimatedDelivery", lambda: _expected(piece.get("estimatedDelivery")))
    return Reading(with_estimate(turned_back(events), expected), faults + damage)


def _common(piece: dict[str, Any], summary: Any) -> Common:
    """The barcode that customers know is the number; the id of the 2D barcode, where it differs, is a reference."""
    signature = piece.get("signature")
    inner = first_text(piece.get("mailPieceId"), dig(summary, "uniqueItemId"))
    number = tracking_number(first_text(dig(summary, "oneDBarcode"), dig(signature, "oneDBarcode"), inner))
    references = (Reference("mail_piece_id", inner),) if inner and inner != number else ()
    signed_by, at = text(dig(signature, "recipientName")), text(dig(signature, "signatureDateTime"))
    return number, references, ProofOfDelivery(signed_by, at) if signed_by or at else None


def _read_event(value: Any, common: Common) -> Event:
    item = as_object(value, "an event")
    return _event(
        common, item.get("eventCode"), item.get("eventDateTime"), item.get("eventName"), item.get("locationName")
    )


def _read_last(summary: Any, common: Common, listed: Reading) -> Iterable[Event]:
    """The last event in the summary, unless it is listed."""
    if not isinstance(summary, dict) or not text(summary.get("lastEventCode")):
        return
    event = _event(
        common,
        summary.get("lastEventCode"),
        summary.get("lastEventDateTime"),
        first_text(summary.get("lastEventName"), summary.get("statusDescription")),
        summary.get("lastEventLocationName"),
    )
    if all((event.code, event.occurred_text) != (other.code, other.occurred_text) for other in listed.events):
        yield event


def _event(common: Common, code: Any, written: Any, words: Any, office: Any) -> Event:
    number, references, proof = common
    code = text(code)
    if not code:
        raise Unreadable("the event has no code")
    meaning = CODES.look_up("", code)
    at, quality = iso_moment(written)
    return Event(
        carrier="royalmail",
        tracking_number=number,
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        leg=leg_of(meaning.milestone),
        code=code,
        description=text(words),
        occurred_at=at,
        occurred_text=text(written) or "",
        time_quality=quality,
        location=Location(facility=text(office)),
        proof_of_delivery=proof if meaning.milestone == Milestone.DELIVERED else None,
        references=references,
    )


def _expected(value: Any) -> When:
    """The end of the window on the day it is expected; the day alone where no window is told."""
    day = (text(dig(value, "date")) or "")[:_DAY]
    end = first_text(dig(value, "endOfEstimatedWindow"), dig(value, "startOfEstimatedWindow"))
    if not end or not day:
        return iso_moment(day)[0]
    return iso_moment(end if end[:_DAY].count("-") == 2 else f"{day}T{end}")[0]


def _why_nothing(piece: dict[str, Any], number: str) -> str:
    if said := _error_words(piece):
        return f"Royal Mail has nothing on {number}: {said}"
    if piece.get("signature"):
        return f"Royal Mail sent the signature for {number}, which is no news of the item."
    return f"Royal Mail knows {number} and has no event of it yet."


def _error_words(value: dict[str, Any]) -> str:
    """The errors of an answer, or of one item; what a gateway in front of it says."""
    return "; ".join(_each_error(value))


def _each_error(value: dict[str, Any]) -> Iterator[str]:
    listed = value.get("errors") or value.get("error")
    for error in (listed if isinstance(listed, list) else [listed])[:5]:
        words, code = text(dig(error, "errorDescription")), text(dig(error, "errorCode"))
        if words or code:
            yield f"{words or 'no words'} ({code or 'no code'})"
    if not listed and (words := first_text(value.get("httpMessage"), value.get("moreInformation"))):
        yield f"{words} ({text(value.get('httpCode')) or 'no code'})"
