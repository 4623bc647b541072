"""What Shopify says: FulfillmentEvent objects, alone or in a list, and Fulfillment objects with their numbers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from carriers.base import Message, Reading
from carriers.codes import CodeTable
from carriers.reading import (
    as_list,
    as_object,
    as_references,
    country,
    dig,
    first_text,
    iso_moment,
    load_json,
    read_each,
    read_parts,
    text,
    tracking_number,
)
from shipments.errors import Unreadable
from shipments.event import Event, Location, Reference
from shipments.milestone import Milestone

CODES = CodeTable(Path(__file__).with_name("codes.csv"))


def parse(message: Message) -> Reading:
    """The events of a webhook or an answer; a notice for an empty list or an error."""
    body = as_object(load_json(message.body), "the body")
    for name, read in (("fulfillment_events", _read_event), ("fulfillments", _read_fulfillment)):
        if name in body:
            items = as_list(body[name], name)
            return read_each(items, name, read) if items else Reading(notice=f"Shopify lists no {name} in this answer")
    for name, read in (("fulfillment_event", _read_event), ("fulfillment", _read_fulfillment)):
        if name in body:
            return _alone(body[name], name, read)
    if body.get("errors"):
        return Reading(notice=f"Shopify answered: {text(body['errors']) or 'an error without words'}")
    if "happened_at" in body or "fulfillment_id" in body:
        return _alone(body, "the event", _read_event)
    if "tracking_numbers" in body or "shipment_status" in body:
        return _alone(body, "the fulfillment", _read_fulfillment)
    raise Unreadable("the body is neither a fulfillment event nor a fulfillment")


def _alone(value: Any, where: str, read: Any) -> Reading:
    return read_parts([value], where, lambda item, _: Reading(tuple(read(item))))


def _read_event(value: Any) -> tuple[Event, ...]:
    """A FulfillmentEvent. It names the fulfillment and no tracking number, so the fulfillment is the number."""
    item = as_object(value, "a fulfillment event")
    code = text(item.get("status"))
    if not code:
        raise Unreadable("the fulfillment event has no status")
    meaning = CODES.look_up("", code)
    place = Location(
        city=text(item.get("city")),
        region=text(item.get("province")),
        postcode=text(item.get("zip")),
        country=country(item.get("country")),
    )
    at, quality = iso_moment(item.get("happened_at"), place.country)
    event = Event(
        carrier="shopify",
        tracking_number=tracking_number(item.get("fulfillment_id")),
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code=code,
        description=text(item.get("message")) or (code if meaning.milestone is Milestone.UNKNOWN else None),
        occurred_at=at,
        occurred_text=text(item.get("happened_at")) or "",
        time_quality=quality,
        location=place,
        estimated_delivery_at=iso_moment(item.get("estimated_delivery_at"))[0],
        references=_references(item),
        provider_event_id=text(item.get("id")),
    )
    return (event,)


def _read_fulfillment(value: Any) -> Iterator[Event]:
    """A Fulfillment: one event for each tracking number, by its shipment_status, else by its own status."""
    item = as_object(value, "a fulfillment")
    shipped = text(item.get("shipment_status"))
    code_list, code = ("", shipped) if shipped else ("fulfillment", text(item.get("status")))
    if not code:
        raise Unreadable("the fulfillment has no status")
    meaning = CODES.look_up(code_list, code)
    at, quality = iso_moment(item.get("updated_at"))
    references = _references(item, dig(item, "id"), item.get("tracking_company"))
    for number in _numbers(item):
        yield Event(
            carrier="shopify",
            tracking_number=number,
            milestone=meaning.milestone,
            exception_category=meaning.exception_category,
            code_list=code_list,
            code=code,
            description=code if meaning.milestone is Milestone.UNKNOWN else None,
            occurred_at=at,
            occurred_text=text(item.get("updated_at")) or "",
            time_quality=quality,
            references=references,
        )


def _numbers(item: dict[str, Any]) -> list[str]:
    """Its tracking numbers, each once; the fulfillment itself where it has none yet."""
    listed = item.get("tracking_numbers")
    found = dict.fromkeys(number for number in map(text, listed if isinstance(listed, list) else ()) if number)
    if not found:
        found = {first_text(item.get("tracking_number"), item.get("id")) or "": None}
    return [tracking_number(number) for number in found]


def _references(item: dict[str, Any], fulfillment: Any = None, company: Any = None) -> tuple[Reference, ...]:
    named = (
        ("fulfillment_id", fulfillment or item.get("fulfillment_id")),
        ("order_id", item.get("order_id")),
        ("fulfillment_name", item.get("name")),
        ("carrier", company),
        ("shop_id", item.get("shop_id")),
    )
    return as_references(named)
