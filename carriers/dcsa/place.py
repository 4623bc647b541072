"""Where a DCSA event happened: the event's own location, else that of the transport call."""

from typing import Any

from carriers.reading import country, dig, first_text, text, unlocode
from shipments.event import Location


def location_of(body: dict[str, Any]) -> tuple[Location, bool]:
    """The place, and whether it is the customer's: then only its town is kept, since its name may be a person's."""
    call = body.get("transportCall")
    place = first_object(body.get("eventLocation"), body.get("location"), dig(call, "location"))
    address = place.get("address")
    at_customer = "CLOC" in (text(body.get("facilityTypeCode")), text(dig(call, "facilityTypeCode")))
    code = unlocode(first_text(place.get("UNLocationCode"), dig(call, "UNLocationCode")))
    named = None
    if not at_customer and text(place.get("locationType")) != "ADDR":
        named = first_text(dig(call, "otherFacility"), place.get("locationName"))
    return (
        Location(
            facility=first_text(place.get("facilityCode"), dig(call, "facilityCode")) or named,
            city=first_text(dig(address, "city"), dig(address, "cityName")),
            region=text(dig(address, "stateRegion")),
            postcode=None if at_customer else first_text(dig(address, "postCode"), dig(address, "postalCode")),
            country=code[:2] if code else country(first_text(dig(address, "country"), dig(address, "countryCode"))),
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
