"""JSON-LD as ONE Record servers write it: names with a prefix, in full or bare; values alone, typed or in a list."""

from typing import Any

from carriers.reading import text


def plain(value: Any) -> dict[str, Any]:
    """The object with bare names: `cargo:eventCode` and `https://...#eventCode` are `eventCode`. Empty if none."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    return {_bare(name): held for name, held in value.items()} if isinstance(value, dict) else {}


def _bare(name: str) -> str:
    return name.rpartition("#")[2].rpartition(":")[2]


def literal(value: Any) -> Any:
    """What a value says, typed or not: `{"@type": ..., "@value": v}`, `{"@id": v}`, `[v]` and `v` are all v."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict):
        return value.get("@value", value.get("@id"))
    return value


def kind(value: dict[str, Any]) -> str:
    """The last of the object's types, without prefix: Shipment, Piece, Waybill, LogisticsEvent."""
    types = value.get("@type")
    last = types[-1] if isinstance(types, list) and types else types
    return _bare(text(last) or "")


def last_segment(uri: str | None) -> str | None:
    """What an object is called in its address: the end of its path."""
    return (uri or "").rstrip("/").rpartition("/")[2] or None
