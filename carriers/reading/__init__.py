"""Reading what a carrier wrote: values nobody promised anything about, into values we can rely on.

bodies: bytes into JSON, XML, forms, CSV. kinds: which of them it is. values: texts and containers. times: every way
carriers write one. places: countries and UN/LOCODE. counts: how many pieces. parts: many parcels and many events, each
costing only itself when it is damaged. histories: what the events of a parcel say together.

Everything here raises Unreadable, or returns None where a thing may be missing.
"""

from carriers.reading.bodies import (
    LARGEST_BODY,
    as_text,
    element_to_dict,
    load_csv,
    load_form,
    load_json,
    load_xml,
    load_xml_object,
    load_xml_parts,
)
from carriers.reading.counts import piece_count
from carriers.reading.histories import leg_of, newest, on_leg, order_of, turned_back, with_estimate
from carriers.reading.kinds import is_xml
from carriers.reading.parts import join, read_beside, read_each, read_part, read_parts
from carriers.reading.places import country, unlocode
from carriers.reading.times import (
    date_if_midnight,
    epoch,
    fixed_date,
    iso_moment,
    moment,
    offset_of,
    place_in_zone,
    reported_instant,
    with_offset,
    zones_of,
)
from carriers.reading.values import (
    LONGEST_NUMBER,
    LONGEST_TEXT,
    as_list,
    as_object,
    as_references,
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
    "as_references",
    "as_text",
    "country",
    "date_if_midnight",
    "dig",
    "element_to_dict",
    "epoch",
    "first_text",
    "fixed_date",
    "is_xml",
    "iso_moment",
    "join",
    "leg_of",
    "load_csv",
    "load_form",
    "load_json",
    "load_xml",
    "load_xml_object",
    "load_xml_parts",
    "moment",
    "newest",
    "offset_of",
    "on_leg",
    "order_of",
    "piece_count",
    "place_in_zone",
    "read_beside",
    "read_each",
    "read_part",
    "read_parts",
    "reported_instant",
    "text",
    "tracking_number",
    "turned_back",
    "unlocode",
    "with_estimate",
    "with_offset",
    "zones_of",
]
