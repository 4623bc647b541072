"""Where a DCSA event happened: the event's own location, else that of the transport call."""

from typing import Any

from carriers.reading import country, first_text, text, unlocode
from shipments.event import Location


def location_of(body: dict[str, Any]) -> tuple[Location, bool]:
    """The place, and whether it is the customer's: then only its town is kept, since its name may be a person's."""
    call = first_object(body.get("transportCall"))
    place = first_object(body.get("eventLocation"), body.get("location"), call.get("location"))
    address = first_object(place.get("address"))
    at_customer = "CLOC" in (text(body.get("facilityTypeCode")), text(call.get("facilityTypeCode")))
    code = unlocode(first_text(place.get("UNLocationCode"), call.get("UNLocationCode")))
    named = None
    if not at_customer and text(place.get("locationType")) != "ADDR":
        named = first_text(call.get("otherFacility"), place.get("locationName"))
    return (
        Location(
            facility=first_text(place.get("facilityCode"), call.get("facilityCode")) or named,
            city=first_text(address.get("city"), address.get("cityName")),
            region=text(address.get("stateRegion")),
            postcode=None if at_customer else first_text(address.get("postCode"), address.get("postalCode")),
            country=code[:2] if code else country(first_text(address.get("country"), address.get("countryCode"))),
            unlocode=code,
        ),
        at_customer,
    )


def first_object(*values: Any) -> dict[str, Any]:
    """The first of the values that is an object with something in it; an empty one if none is."""
    for value in values:
        if value and isinstance(value, dict):
            return value
    return {}
