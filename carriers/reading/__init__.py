"""Reading what a carrier wrote: values nobody promised anything about, into values we can rely on.

bodies: bytes into JSON, XML, forms, CSV. values: texts and containers. times: every way carriers write one. places:
countries and UN/LOCODE. parts: many parcels and many events, each costing only itself when it is damaged.

Everything here raises Unreadable, or returns None where a thing may be missing.
"""

from carriers.reading.bodies import LARGEST_BODY, as_text, element_to_dict, load_csv, load_form, load_json, load_xml
from carriers.reading.parts import join, read_each, read_parts
from carriers.reading.places import country, unlocode
from carriers.reading.times import (
    date_if_midnight,
    epoch,
    fixed_date,
    iso_moment,
    moment,
    offset_of,
    place_in_zone,
    with_offset,
    zones_of,
)
from carriers.reading.values import (
    LONGEST_NUMBER,
    LONGEST_TEXT,
    as_list,
    as_object,
    dig,
    first_text,
    text,
    tracking_number,
)

__all__ = [
    "LARGEST_BODY",
    "LONGEST_NUMBER",
    "LONGEST_TEXT",
    "as_list",
    "as_object",
    "as_text",
    "country",
    "date_if_midnight",
    "dig",
    "element_to_dict",
    "epoch",
    "first_text",
    "fixed_date",
    "iso_moment",
    "join",
    "load_csv",
    "load_form",
    "load_json",
    "load_xml",
    "moment",
    "offset_of",
    "place_in_zone",
    "read_each",
    "read_parts",
    "text",
    "tracking_number",
    "unlocode",
    "with_offset",
    "zones_of",
]
