"""From bytes to JSON, XML, a form or a table, in the encodings really seen."""

import codecs
import csv
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from email.message import Message as Headers
from typing import Any
from urllib.parse import parse_qsl
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

import msgspec

from shipments.errors import Unreadable

LARGEST_BODY = 8 * 1024 * 1024
"""Bytes. Above every documented message, photos in Base64 included; the door's own limit is lower."""

_DEEPEST_XML = 60
_PIECE = 64
"""Bytes parsed at once where a document type may stand: too few to declare an entity and to expand it often."""

_MOST_FIELDS = 1000
_DELIMITERS = ",;\t|"
# UTF-32 first: its mark begins with that of UTF-16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_FIRST_OF_MARKS = frozenset(mark[:1] for mark, _ in _MARKS)


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not JSON")


# made once: json.loads makes a new decoder at every call that has an option
_JSON = json.JSONDecoder(parse_constant=_no_constant)
_QUICK_JSON = msgspec.json.Decoder()
"""Takes less than the standard library's does, and what it takes it reads alike, and sooner."""


def load_json(body: bytes) -> Any:
    """The JSON in the body: UTF-8, -16 or -32 by its first bytes, Windows-1252 if it is none of these."""
    _check_size(body)
    try:
        with suppress(msgspec.DecodeError):  # also at other encodings, half a letter and numbers beyond all measure
            return _QUICK_JSON.decode(body)
        return _JSON.decode(_decode_json(body))
    except RecursionError:
        raise Unreadable("the JSON is nested too deeply") from None
    except ValueError as fault:
        raise Unreadable(f"the body is not JSON: {fault}") from None


def load_xml(body: bytes, content_type: str = "") -> Element:
    """The root element, with the names of all elements and attributes without their namespaces.

    A byte order mark decides the encoding, then the charset of the content type, then what the document declares;
    bytes that are not the UTF-8 which nobody declared are Windows-1252. A document type is refused: no carrier needs
    one, and it is where expansion bombs and outside files come from.
    """
    root = _root(body, content_type)
    _drop_namespaces(root)
    return root


def load_xml_object(body: bytes, content_type: str = "") -> Any:
    """The root element as JSON would have it (`element_to_dict`), read as `load_xml` does, and quicker than both."""
    return _to_dict(_root(body, content_type), 1)


def load_xml_parts(body: bytes, content_type: str, is_part: Callable[[str], bool]) -> list[tuple[str, Any]]:
    """The outermost elements of such names, wherever they stand, each with its name and as `load_xml_object` has it."""
    return list(_parts(_root(body, content_type), is_part, 1))


def _parts(element: Element, is_part: Callable[[str], bool], level: int) -> Iterator[tuple[str, Any]]:
    name = _local(element.tag)
    if is_part(name):
        yield name, _to_dict(element, level)
        return
    if level >= _DEEPEST_XML and len(element):
        raise _too_deep()
    for child in element:
        yield from _parts(child, is_part, level + 1)


def _root(body: bytes, content_type: str) -> Element:
    """The root element, its names with their namespaces."""
    _check_size(body)
    try:
        return _parse_xml(body, None if _mark(body) else _charset(content_type))
    except (ParseError, ValueError, LookupError, RecursionError) as fault:
        raise Unreadable(f"the body is not XML: {_without_bytes(fault)}") from None


def _drop_namespaces(root: Element) -> None:
    """From every name in the tree, level by level; Unreadable if there are too many levels."""
    level = [root]
    for _ in range(_DEEPEST_XML):
        below: list[Element] = []
        for element in level:
            tag = element.tag
            if tag[0] == "{":  # as _local does; a call for each element would cost more than that
                element.tag = tag[tag.index("}") + 1 :]
            if "{" in "".join(element.keys()):
                element.attrib = {_local(name): value for name, value in element.items()}
            if len(element):
                below.extend(element)
        if not below:
            return
        level = below
    raise _too_deep()


def element_to_dict(element: Element) -> Any:
    """An element as JSON would have it, so that one parser reads both.

    Children by name, repeated ones as a list; a leaf is its text, and None if it has none; attributes are `@name`, and
    the text beside them `#text`. A list of one is the item itself: read it with as_list.
    """
    return _to_dict(element, 1)


def load_form(body: bytes, content_type: str = "") -> dict[str, str]:
    """The fields of a form (application/x-www-form-urlencoded); of a name that stands twice, the last."""
    _check_size(body)
    try:
        fields = parse_qsl(as_text(body, content_type), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError as fault:
        raise Unreadable(f"the body is not a form: {fault}") from None
    if not any(value for _, value in fields):
        raise Unreadable("the body is not a form: no field has a value")
    return dict(fields)


def load_csv(body: bytes, content_type: str = "", delimiter: str = "") -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a table with a heading, each with its line number; the delimiter is the one the heading has most.

    A row with more or fewer cells than the heading is given as it is: missing cells are "", surplus ones under "".
    """
    _check_size(body)
    lines = as_text(body, content_type).splitlines()
    heading = next((line for line in lines if line.strip()), "")
    found = delimiter or max(_DELIMITERS, key=heading.count)
    reader = csv.DictReader(lines, delimiter=found, restkey="", restval="")
    try:
        names = reader.fieldnames or ()
        if len(names) < 2:
            raise Unreadable("the first line is no heading of a table")
        reader.fieldnames = [name.strip() for name in names]
        for row in reader:
            row[""] = " ".join(row.get("") or ())
            yield reader.line_num, row
    except csv.Error as fault:
        raise Unreadable(f"the table breaks off at line {reader.line_num}: {fault}") from None


def as_text(body: bytes, content_type: str = "") -> str:
    """The body as text: by its byte order mark, the charset of the content type, UTF-8, else Windows-1252."""
    for encoding in filter(None, (_mark(body), _charset(content_type), "utf-8")):
        try:
            return body.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            continue
    return body.decode("cp1252", "replace")


def _check_size(body: bytes) -> None:
    if not body or body.isspace():
        raise Unreadable("the body is empty")
    if len(body) > LARGEST_BODY:
        raise Unreadable(f"the body has {len(body)} bytes; at most {LARGEST_BODY} are read")


def _decode_json(body: bytes) -> str:
    encoding = json.detect_encoding(body)
    try:
        return body.decode("utf-8-sig" if encoding == "utf-8" else encoding)
    except UnicodeDecodeError:
        return body.decode("cp1252", "replace")


def _mark(body: bytes) -> str | None:
    if body[:1] not in _FIRST_OF_MARKS:
        return None
    return next((encoding for mark, encoding in _MARKS if body.startswith(mark)), None)


def _charset(content_type: str) -> str | None:
    """The charset a content type names, if Python knows it."""
    if "charset" not in content_type.lower():
        return None
    headers = Headers()
    headers["content-type"] = content_type
    try:
        return codecs.lookup(str(headers.get_content_charset() or "")).name
    except (LookupError, ValueError):
        return None


def _parse_xml(body: bytes, encoding: str | None) -> Element:
    if body[:4] in (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE):
        body, encoding = body.decode("utf-32").encode(), "utf-8"
    try:
        return _feed(body, encoding)
    except ParseError:
        if encoding or b"encoding" in body[:100] or _is_utf8(body):
            raise
        return _feed(body, "cp1252")


# What no document type can hide in: the standard library's own builder, a fifth quicker, reads it.
_PLAIN = re.compile(
    rb"""\s*(?:<\?xml\s+version=["']1\.0["'](?:\s+encoding=["'](?:utf-8|us-ascii|iso-8859-1|windows-1252)["'])?"""
    rb"""(?:\s+standalone=["'](?:yes|no)["'])?\s*\?>\s*)?<[A-Za-z_]""",
    re.IGNORECASE,
)
_PLAIN_ENCODINGS = (None, "utf-8", "ascii", "iso8859-1", "cp1252")


class _Tree:
    """What the standard library's parser calls: the methods of its builder, and one that refuses a document type.

    The parser calls `doctype` where a document type begins, before anything in it is declared, in every encoding that
    it can read. It goes on to the end of what it was fed before the refusal counts, so it is fed by the piece then.
    """

    __slots__ = ("close", "data", "end", "start")

    def __init__(self) -> None:
        builder = TreeBuilder()
        self.start, self.end, self.data, self.close = builder.start, builder.end, builder.data, builder.close

    def doctype(self, *_: str | None) -> None:
        raise Unreadable("the XML has a document type (DOCTYPE), and none is read")


def _feed(body: bytes, encoding: str | None) -> Element:
    # what the parsers are vulnerable to needs a document type
    if b"<!DOCTYPE" not in body and encoding in _PLAIN_ENCODINGS and _PLAIN.match(body):
        parser = XMLParser(encoding=encoding)  # noqa: S314
        parser.feed(body)
    else:
        parser = XMLParser(target=_Tree(), encoding=encoding)  # noqa: S314
        for piece in _pieces(body):
            parser.feed(piece)
    root: Element = parser.close()
    return root


def _pieces(body: bytes) -> Iterable[bytes]:
    """All at once; in small pieces where a document type may stand in it, in UTF-16 with a zero after each letter."""
    if b"!DOCTYPE" not in body and b"!\0D\0O\0C" not in body:
        return (body,)
    return (body[start : start + _PIECE] for start in range(0, len(body), _PIECE))


def _is_utf8(body: bytes) -> bool:
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _without_bytes(fault: Exception) -> str:
    return str(fault)[:120].encode("ascii", "replace").decode() or type(fault).__name__


def _to_dict(element: Element, level: int) -> Any:
    """Without the namespaces in its names. level: of the element, from 1 for the root."""
    if level >= _DEEPEST_XML and len(element):
        raise _too_deep()
    found: dict[str, Any] = {f"@{_local(name)}": value for name, value in element.items()}
    for child in element:
        tag = child.tag
        if tag[0] == "{":
            tag = tag[tag.index("}") + 1 :]
        if len(child) or child.items():
            value = _to_dict(child, level + 1)
        elif value := child.text:
            value = value.strip() or None
        if tag not in found:
            found[tag] = value
        elif isinstance(found[tag], list):
            found[tag].append(value)
        else:
            found[tag] = [found[tag], value]
    words = (element.text or "").strip()
    if not found:
        return words or None
    if words:
        found["#text"] = words
    return found


def _local(name: str) -> str:
    """A name without its namespace."""
    return name.rpartition("}")[2]


def _too_deep() -> Unreadable:
    return Unreadable("the XML is nested too deeply")
