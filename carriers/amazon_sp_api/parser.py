"""What Amazon's notifications say of parcels: tracking milestones, FBA shipments, and multi-channel orders."""

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
from shipments.event import Event, Location, Reference, When

CODES = CodeTable(Path(__file__).with_name("codes.csv"))


def parse(message: Message) -> Reading:
    """The events of a notification, bare or in EventBridge's envelope, or of a batch taken from SQS.

    A notice for the notifications that are about something else.
    """
    body = as_object(load_json(message.body), "the body")
    if "Messages" not in body:
        return read_parts([body], "notification", _read_notification)
    messages = as_list(body["Messages"], "Messages")
    return read_parts(messages, "Messages", _read_queued) if messages else Reading(notice="the queue was empty")


def _read_queued(value: Any, where: str) -> Reading:
    inner = as_object(value, "a message").get("Body")
    if not isinstance(inner, str):
        raise Unreadable("a message of the queue has no Body")
    return _read_notification(load_json(inner.encode("utf-8", "replace")), where)


def _read_notification(value: Any, where: str) -> Reading:
    envelope = as_object(value, "a notification")
    notification = envelope["detail"] if isinstance(envelope.get("detail"), dict) else envelope
    kind = first_text(notification.get("notificationType"), notification.get("NotificationType"))
    payload = notification.get("payload") or notification.get("Payload")
    if not kind:
        raise Unreadable("there is no notification type")
    if kind == "SHIPMENT_TRACKING_MILESTONE_CHANGED":
        return _read_milestones(dig(payload, "shipmentTrackingMilestoneChangedNotification", "trackingDetail"), where)
    if kind == "FBA_OUTBOUND_SHIPMENT_STATUS":
        return _read_fba(dig(payload, "FBAOutboundShipmentStatusNotification"), notification.get("EventTime"))
    if kind == "FULFILLMENT_ORDER_STATUS":
        return _read_order(dig(payload, "FulfillmentOrderStatusNotification"), where)
    return Reading(notice=f"Amazon sent {kind[:60]}, which says nothing about a parcel")


def _event(code_list: str, code: str | None, number: Any, time: Any, place: Location, **told: Any) -> Event:
    if not code:
        raise Unreadable("there is no status")
    meaning = CODES.look_up(code_list, code)
    at, quality = iso_moment(time, place.country)
    return Event(
        carrier="amazon_sp_api",
        tracking_number=tracking_number(number),
        milestone=meaning.milestone,
        exception_category=meaning.exception_category,
        code_list=code_list,
        code=code,
        occurred_at=at,
        occurred_text=text(time) or "",
        time_quality=quality,
        location=place,
        **told,
    )


# ---- tracking milestones


def _read_milestones(value: Any, where: str) -> Reading:
    detail = as_object(value, "trackingDetail")
    identifier = as_object(detail.get("identifier"), "identifier")
    number = tracking_number(first_text(identifier.get("aftn"), *identifier.values()))
    estimate = _estimate(detail.get("trackingEstimates"))
    listed = as_list(detail.get("milestoneHistory"), "milestoneHistory")
    newest = detail.get("latestMilestone")
    stages = [*listed, newest] if newest and not any(_is_same(newest, stage) for stage in listed) else listed
    if not stages:
        return Reading(notice=f"Amazon lists no milestone of {number}")
    return read_each(stages, f"{where}.milestoneHistory", lambda stage: (_read_stage(stage, number, estimate),))


def _is_same(newest: Any, stage: Any) -> bool:
    """Whether the latest milestone is this one of the history, whatever else it says."""
    one, other = ((dig(each, "status", "code"), dig(each, "occurredAt")) for each in (newest, stage))
    return one == other


def _read_stage(value: Any, number: str, estimate: When) -> Event:
    stage = as_object(value, "a milestone")
    status, address = stage.get("status"), dig(stage, "location", "address")
    place = Location(
        city=text(dig(address, "city")),
        region=text(dig(address, "region")),
        postcode=text(dig(address, "postalCode")),
        country=country(dig(address, "countryCode")),
    )
    finer = text(dig(status, "subCode"))
    return _event(
        "",
        text(dig(status, "code")),
        number,
        stage.get("occurredAt"),
        place,
        description=text(dig(status, "description")),
        estimated_delivery_at=estimate,
        references=(Reference("sub_code", finer),) if finer else (),
    )


def _estimate(value: Any) -> When:
    """The end of the expected interval; an unreadable one costs no milestone."""
    for item in value if isinstance(value, list) else ():
        if dig(item, "type") == "ESTIMATED_DELIVERY_DATE":
            interval = dig(item, "estimatedInterval")
            try:
                return iso_moment(first_text(dig(interval, "endTime"), dig(interval, "startTime")))[0]
            except Unreadable:
                return None
    return None


# ---- shipments and orders


def _read_fba(value: Any, time: Any) -> Reading:
    shipment = as_object(value, "FBAOutboundShipmentStatusNotification")
    code = text(shipment.get("ShipmentStatus"))
    references = as_references([("amazon_order_id", shipment.get("AmazonOrderId"))])
    number = shipment.get("AmazonShipmentId")
    return Reading((_event("fba", code, number, time, Location(), description=code, references=references),))


def _read_order(value: Any, where: str) -> Reading:
    order = as_object(value, "FulfillmentOrderStatusNotification")
    name = text(order.get("SellerFulfillmentOrderId")) or "an order"
    if not order.get("FulfillmentShipment"):
        state = text(order.get("FulfillmentOrderStatus")) or "no status"
        return Reading(notice=f"Amazon says {state} of {name} and names no shipment")
    shipment = as_object(order["FulfillmentShipment"], "FulfillmentShipment")
    packages = as_list(shipment.get("FulfillmentShipmentPackages"), "FulfillmentShipmentPackages")
    if not packages:
        return Reading(notice=f"Amazon lists no package of {name} yet")
    at = f"{where}.FulfillmentShipmentPackages"
    return read_each(packages, at, lambda package: (_read_package(package, shipment, order),))


def _read_package(value: Any, shipment: dict[str, Any], order: dict[str, Any]) -> Event:
    package = as_object(value, "a package")
    code = text(shipment.get("FulfillmentShipmentStatus"))
    return _event(
        "mcf",
        code,
        package.get("TrackingNumber"),
        order.get("StatusUpdatedDateTime"),
        Location(),
        description=code,
        piece=text(package.get("PackageNumber")),
        estimated_delivery_at=iso_moment(shipment.get("EstimatedArrivalDateTime"))[0],
        references=as_references(
            (
                ("seller_fulfillment_order_id", order.get("SellerFulfillmentOrderId")),
                ("amazon_shipment_id", shipment.get("AmazonShipmentId")),
                ("carrier", package.get("CarrierCode")),
            )
        ),
    )
