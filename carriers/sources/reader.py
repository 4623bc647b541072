"""Reads the messages of a described source."""

from collections.abc import Callable, Iterable
from typing import Any

from carriers.base import Fault, Message, Reading
from carriers.reading import (
    as_list,
    country,
    date_if_midnight,
    epoch,
    load_csv,
    load_json,
    moment,
    piece_count,
    read_each,
    read_parts,
    text,
    tracking_number,
    unlocode,
)
from carriers.sources.description import Description
from shipments.errors import Unreadable
from shipments.event import Event, Leg, Location, ProofOfDelivery, Reference, TimeQuality, When
from shipments.milestone import Milestone


def reader_of(source: Description) -> Callable[[Message], Reading]:
    """The parser of that source."""
    return _Reader(source).parse_table if source.format == "generic_csv" else _Reader(source).parse


class _Reader:
    def __init__(self, source: Description) -> None:
        self._source = source

    def parse(self, message: Message) -> Reading:
        """The events of a JSON body; each parcel and each event that is damaged is a fault of its own."""
        body = load_json(message.body)
        if not isinstance(body, dict | list):
            raise Unreadable("the body is neither an object nor a list")
        parcels = as_list(self._source.parcels(body) if self._source.parcels else body, "parcels")
        if not parcels:
            return Reading(notice=f"{self._source.title} lists no parcel in this message.")
        return read_parts(parcels, "parcels", self._read_parcel)

    def parse_table(self, message: Message) -> Reading:
        """The events of a table, one a row; a row that is damaged is a fault under its line."""
        events: list[Event] = []
        faults: list[Fault] = []
        for line, row in load_csv(message.body, message.headers.get("content-type", ""), self._source.delimiter):
            try:
                events.append(self._read_event(row, row))
            except Unreadable as fault:
                faults.append(Fault(f"line {line}", str(fault)))
        if faults and not events:
            raise Unreadable("; ".join(f"{fault.where}: {fault.reason}" for fault in faults[:3]))
        notice = None if events or faults else f"{self._source.title} lists no parcel in this table."
        return Reading(tuple(events), tuple(faults), notice)

    def _read_parcel(self, parcel: Any, where: str) -> Reading:
        if self._source.events is None:
            return Reading((self._read_event(parcel, parcel),))
        number = tracking_number(self._of_parcel("tracking_number", parcel))
        events = as_list(self._source.events(parcel), "events")
        if not events:
            return Reading(notice=f"{self._source.title} lists no event of {number}.")
        return read_each(events, f"{where}.events", lambda event: (self._read_event(parcel, event),))

    def _read_event(self, parcel: Any, event: Any) -> Event:
        code, code_list = text(self._of_event("code", event)), text(self._of_event("code_list", event)) or ""
        if not code:
            raise Unreadable("the event has no code")
        meaning = self._source.codes.look_up(code_list, code)
        milestone = meaning.milestone
        leg = Leg.RETURN if _is_so(self._of_parcel("is_return", parcel)) else Leg.OUTBOUND
        if milestone in (Milestone.RETURN_IN_TRANSIT, Milestone.RETURNED):
            leg = Leg.RETURN
        delivered = milestone is Milestone.DELIVERED
        place = self._place(event)
        at, quality = self._moment(self._of_event("occurred_at", event), place.country)
        number = tracking_number(self._of_parcel("tracking_number", parcel))
        return Event(
            carrier=self._source.name,
            tracking_number=number,
            journey=text(self._of_parcel("journey", parcel)) or "",
            piece=text(self._of_parcel("piece", parcel)),
            piece_count=piece_count(self._of_parcel("piece_count", parcel)),
            leg=leg,
            milestone=Milestone.RETURNED if delivered and leg is Leg.RETURN else milestone,
            exception_category=meaning.exception_category,
            code=code,
            code_list=code_list,
            description=text(self._of_event("description", event)),
            occurred_at=at,
            occurred_text=text(self._of_event("occurred_at", event)) or "",
            time_quality=quality,
            reported_at=self._reported_at(event),
            location=place,
            estimated_delivery_at=self._moment(self._of_parcel("estimated_delivery_at", parcel), None)[0],
            proof_of_delivery=self._proof(event) if delivered and leg is Leg.OUTBOUND else None,
            references=(*self._source.carrier(parcel, number), *self._references(parcel)),
            provider_event_id=text(self._of_event("provider_event_id", event)),
            is_test=_is_so(self._of_parcel("is_test", parcel)),
        )

    def _of_parcel(self, field: str, parcel: Any) -> Any:
        find = self._source.parcel.get(field)
        return find(parcel) if find else None

    def _of_event(self, field: str, event: Any) -> Any:
        find = self._source.event.get(field)
        return find(event) if find else None

    def _place(self, event: Any) -> Location:
        return Location(
            facility=text(self._of_event("facility", event)),
            city=text(self._of_event("city", event)),
            region=text(self._of_event("region", event)),
            postcode=text(self._of_event("postcode", event)),
            country=country(self._of_event("country", event)),
            unlocode=unlocode(self._of_event("unlocode", event)),
        )

    def _moment(self, written: Any, country_code: str | None) -> tuple[When, TimeQuality]:
        source = self._source
        if source.epoch:
            return epoch(written, milliseconds=source.epoch == "milliseconds")
        at, quality = moment(written, *source.shapes, country_code=country_code, zone=source.zone)
        return date_if_midnight(at, quality) if source.midnight_is_a_date else (at, quality)

    def _reported_at(self, event: Any) -> Any:
        """When they say they heard of it: only where that is a moment, since it only adds to the event."""
        at, quality = self._moment(self._of_event("reported_at", event), None)
        return at if quality in (TimeQuality.EXACT, TimeQuality.ASSUMED) else None

    def _proof(self, event: Any) -> ProofOfDelivery | None:
        signed_by, document = text(self._of_event("signed_by", event)), text(self._of_event("document", event))
        return ProofOfDelivery(signed_by, None, document) if signed_by or document else None

    def _references(self, parcel: Any) -> Iterable[Reference]:
        for kind, find in self._source.references.items():
            if value := text(find(parcel)):
                yield Reference(kind, value)


def _is_so(value: Any) -> bool:
    """Whether a flag is set, as JSON or as a word."""
    return value is True or (text(value) or "").lower() in ("true", "1", "yes", "y")
