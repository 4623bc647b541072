"""The two shapes of an answer, MyDHL JSON and XML-PI, brought to one: shipments, pieces and scans."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from carriers.reading import as_list, as_object, dig, first_text, text
from shipments.errors import Unreadable
from shipments.event import Reference


@dataclass(frozen=True, slots=True)
class Scan:
    """A scan as it is written. `area` is the code of the service area, `place` its name with the country."""

    date: str
    time: str
    code: str
    words: str | None
    signed_by: str | None
    offset: str | None
    area: str | None
    place: str | None

    @property
    def mark(self) -> tuple[str, str, str, str | None]:
        """What a scan of the shipment has in common with the same scan of a piece."""
        return self.date, self.time, self.code, self.area


@dataclass(frozen=True, slots=True)
class Shape:
    """Where the two shapes keep their parts."""

    number: str
    events: str
    piece_events: str

    def pieces(self, shipment: dict[str, Any]) -> list[Any]:
        """The pieces; in XML their number may stand in the place of the pieces."""
        if self is MYDHL:
            return as_list(shipment.get("pieces"), "pieces")
        return as_list(dig(shipment, "Pieces", "PieceInfo"), "Pieces")

    def piece_count(self, shipment: dict[str, Any]) -> Any:
        """How many there are, as it is written; XML-PI writes it in the place of the pieces or not at all."""
        return shipment.get("numberOfPieces") if self is MYDHL else shipment.get("Pieces")

    def piece_id(self, piece: dict[str, Any]) -> str:
        found = first_text(piece.get("trackingNumber"), dig(piece, "PieceDetails", "LicensePlate"), piece.get("number"))
        if not found:
            raise Unreadable("a piece has no number")
        return found

    def scan(self, item: Any) -> Scan:
        return _mydhl_scan(as_object(item, "a scan")) if self is MYDHL else _xml_scan(as_object(item, "a scan"))

    def references(self, shipment: dict[str, Any]) -> Iterator[Reference]:
        """The shipper's own numbers."""
        if self is MYDHL:
            for item in as_list(shipment.get("shipperReferences"), "shipperReferences"):
                if value := text(dig(item, "value")):
                    yield Reference((text(dig(item, "typeCode")) or "shipper_reference").lower(), value)
            return
        for item in as_list(shipment.get("ShipperReference"), "ShipperReference"):
            if value := text(dig(item, "ReferenceID")):
                yield Reference("shipper_reference", value)


MYDHL = Shape("shipmentTrackingNumber", "events", "events")
XML = Shape("AWBNumber", "ShipmentEvent", "PieceEvent")


def _mydhl_scan(item: dict[str, Any]) -> Scan:
    areas = item.get("serviceArea")
    area = areas[0] if isinstance(areas, list) and areas else areas
    return Scan(
        date=text(item.get("date")) or "",
        time=text(item.get("time")) or "",
        code=_code(item.get("typeCode")),
        words=text(item.get("description")),
        signed_by=text(item.get("signedBy")),
        offset=text(item.get("GMTOffset")),
        area=text(dig(area, "code")),
        place=text(dig(area, "description")),
    )


def _xml_scan(item: dict[str, Any]) -> Scan:
    return Scan(
        date=text(item.get("Date")) or "",
        time=text(item.get("Time")) or "",
        code=_code(dig(item, "ServiceEvent", "EventCode")),
        words=_one_line(text(dig(item, "ServiceEvent", "Description"))),
        signed_by=text(item.get("Signatory")),
        offset=None,
        area=text(dig(item, "ServiceArea", "ServiceAreaCode")),
        place=text(dig(item, "ServiceArea", "Description")),
    )


def _code(value: Any) -> str:
    code = text(value)
    if not code:
        raise Unreadable("a scan has no code")
    return code.upper()


def _one_line(words: str | None) -> str | None:
    """XML-PI breaks its texts over several indented lines."""
    return " ".join(words.split()) if words else None
