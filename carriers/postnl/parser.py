"""The answers of PostNL's Shipping Status API: a status, the history, updated shipments, signature; JSON and SOAP."""

from collections.abc import Iterator
from typing import Any

from carriers.base import Message, Reading
from carriers.postnl.shipment import read_shipment
from carriers.reading import as_object, dig, first_text, is_xml, load_json, load_xml_object, read_parts, text
from shipments.errors import Unreadable

_STATUSES = ("CompleteStatus", "CurrentStatus")


def parse(message: Message) -> Reading:
    """The events of an answer; a notice for a signature, a warning, an error and an answer without a shipment."""
    if is_xml(message.body):
        return _read_soap(message)
    body = load_json(message.body)
    if isinstance(body, list):
        return _read_shipments(body, "shipments", None)
    body = as_object(body, "the body")
    for name in _STATUSES:
        if name in body:
            answer = as_object(body[name], name)
            return _read_shipments(_items(answer.get("Shipment")), f"{name}.Shipment", (answer, body))
    return _read_other(body)


def _read_soap(message: Message) -> Reading:
    root = load_xml_object(message.body, message.headers.get("content-type", ""))
    body = as_object(dig(root, "Body"), "the SOAP body")
    for name in _STATUSES:
        if f"{name}Response" in body:
            answer = body[f"{name}Response"]
            shipments = _items(dig(answer, "Shipments", f"{name}ResponseShipment"))
            return _read_shipments(shipments, f"{name}ResponseShipment", (answer,))
    return _read_other(body)


def _read_shipments(shipments: list[Any], where: str, around: tuple[Any, ...] | None) -> Reading:
    """The shipments; where there is none, what the warnings around them say."""
    if shipments:
        return read_parts(shipments, where, read_shipment)
    said = "; ".join(said for part in around or () for said in _warnings(part))
    return Reading(notice=f"PostNL answered without a shipment: {said or 'no reason given'}")


def _read_other(body: dict[str, Any]) -> Reading:
    """A signature proves a delivery that the status reports; alone it makes none."""
    signature = body.get("Signature") or dig(body, "SignatureResponse", "Signature", "GetSignatureResponseSignature")
    if number := text(dig(signature, "Barcode")):
        return Reading(notice=f"PostNL sent the signature for {number}, which is no news of the parcel.")
    said = list(_warnings(body))
    fault = body.get("Fault") or body.get("fault") or body.get("Error") or body.get("error")
    if words := first_text(dig(fault, "faultstring"), dig(fault, "ErrorDescription"), dig(fault, "message"), fault):
        said.append(words)
    if words := first_text(body.get("message"), body.get("Message")):
        said.append(words)
    if not said:
        raise Unreadable("there are no status, no signature and no error of PostNL in the body")
    return Reading(notice=f"PostNL answered with an error: {'; '.join(said[:5])}")


def _items(value: Any) -> list[Any]:
    """PostNL writes {} or an empty element where there is nothing, and a lone object where there is one."""
    if value in (None, {}, ""):
        return []
    return value if isinstance(value, list) else [value]


def _warnings(part: Any) -> Iterator[str]:
    """Warnings are a list in JSON and an element of elements in SOAP; errors have their form."""
    for name in ("Warnings", "Errors", "errors"):
        listed = dig(part, name)
        for warning in _items(dig(listed, "Warning") or listed):
            code = first_text(dig(warning, "Code"), dig(warning, "ErrorNumber"))
            words = first_text(dig(warning, "Description"), dig(warning, "ErrorMsg"), dig(warning, "title"))
            if code or words:
                yield f"{words or 'no words'} ({code or 'no code'})"
