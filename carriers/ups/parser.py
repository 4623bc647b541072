"""What UPS says: Track Alert pushes one event in each message, Track API v1 answers with a package's history."""

from typing import Any

from msgspec.structs import replace

from carriers.base import Message, Reading
from carriers.reading import as_list, as_object, dig, load_json, tracking_number
from carriers.ups.activity import Activity, pad, read_place, say, to_event, with_proof
from carriers.ups.answer import objects, quote, read_answer
from carriers.ups.times import read_secondary_moment
from shipments.errors import Unreadable
from shipments.event import Event


def parse(message: Message) -> Reading:
    """Reads a Track Alert event (v1 or v2) or a Track API v1 answer; an error and the like is a notice."""
    body = as_object(load_json(message.body), "the message")
    if "trackResponse" in body:
        return read_answer(as_object(body["trackResponse"], "trackResponse"))
    if notice := _find_errors(body) or _find_subscription(body):
        return Reading(notice=notice)
    return Reading((_read_alert(body),))


def _read_alert(body: dict[str, Any]) -> Event:
    if "activityStatus" not in body:
        raise Unreadable("this is neither a Track Alert event nor a Track API answer")
    status = as_object(body["activityStatus"], "activityStatus")
    activity = Activity(
        type=say(status.get("type")) or "",
        code=say(status.get("code")) or "",
        status=pad(say(status.get("descriptionCode"))),
        description=say(status.get("description")),
        day=say(body.get("localActivityDate")),
        clock=say(body.get("localActivityTime")),
        gmt=read_secondary_moment(say(body.get("gmtActivityDate")), say(body.get("gmtActivityTime"))),
        gmt_offset=say(body.get("gmtOffset")),
        place=read_place(body.get("activityLocation")),
    )
    event = to_event(tracking_number(say(body.get("trackingNumber"))), activity)
    planned = read_secondary_moment(say(body.get("scheduledDeliveryDate")), None)
    event = replace(event, estimated_delivery_at=planned) if planned else event
    handed_over = read_secondary_moment(say(body.get("actualDeliveryDate")), say(body.get("actualDeliveryTime")))
    return with_proof(event, say(body.get("receivedBy")), handed_over)


def _find_errors(body: dict[str, Any]) -> str | None:
    return quote(objects(dig(body, "response", "errors"))) or quote(objects(body.get("errors")))


def _find_subscription(body: dict[str, Any]) -> str | None:
    """What became of a request to watch numbers."""
    if "validTrackingNumbers" not in body and "invalidTrackingNumbers" not in body:
        return None
    watched = as_list(body.get("validTrackingNumbers"), "validTrackingNumbers")
    refused = as_list(body.get("invalidTrackingNumbers"), "invalidTrackingNumbers")
    return f"UPS watches {len(watched)} numbers and refuses {len(refused)}"
