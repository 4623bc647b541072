"""What a DHL unit's code means: the unit's own code, else the text published with it, else the coarse statusCode."""

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from carriers.codes import UNMAPPED, CodeTable, Meaning
from carriers.reading import text
from shipments.milestone import Milestone


def _published_texts(path: Path, codes: CodeTable) -> dict[tuple[str, str], str]:
    """From (service, text in lower case) to the first code listed with it; without texts that mean several things."""
    found: dict[tuple[str, str], list[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            service, _, code = row["code"].partition(":")
            found.setdefault((service, row["meaning"].casefold()), []).append(code)
    return {key: listed[0] for key, listed in found.items() if len({codes.find(key[0], c) for c in listed}) == 1}


_TABLE = Path(__file__).with_name("codes.csv")
CODES = CodeTable(_TABLE)
TEXTS = _published_texts(_TABLE, CODES)


def understand(item: dict[str, Any], service: str) -> tuple[str, str, Meaning]:
    """The code list, the code and the meaning of a status or an event; the finest that the table knows."""
    written = (text(item.get("statusDetailed")), text(item.get("status")))
    for code_list, code in _spellings(service, written):
        if meaning := CODES.find(code_list, code):
            return code_list, code, meaning
    coarse = text(item.get("statusCode"))
    known = CODES.find("statusCode", coarse.lower()) if coarse else None
    for words in (*written, text(item.get("description"))):
        published = TEXTS.get((service, words.casefold())) if words else None
        if published and _refines(finer := CODES.look_up(service, published), known):
            return service, published, finer
    if coarse:
        return "statusCode", coarse.lower() if known else coarse, known or UNMAPPED
    return service, written[0] or written[1] or "", UNMAPPED


def _spellings(service: str, written: tuple[str | None, ...]) -> Iterable[tuple[str, str]]:
    """Codes made of words come as RETURNED_TO_SENDER and as Returned to sender."""
    for code in filter(None, written):
        words = code.upper().replace(" ", "_")
        if service:
            yield service, code
            yield service, words
        yield "status", words


def _refines(meaning: Meaning, coarse: Meaning | None) -> bool:
    """Whether a text says more than the statusCode. A delivery is never believed from a text alone."""
    if meaning.milestone is Milestone.DELIVERED and (coarse is None or coarse.milestone is not Milestone.DELIVERED):
        return False
    return meaning != coarse
