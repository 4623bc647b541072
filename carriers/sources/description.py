"""What a source's TOML file says, checked, every fault with its line."""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carriers.codes import CodeTable, Meaning, read_meaning
from carriers.proof import NotPushed, Proof
from carriers.reading import moment
from carriers.reading.times import is_zone
from carriers.sources.carried import DETECT, carrier_of
from carriers.sources.paths import Find, column, path_finder
from carriers.sources.proofs import read_proof
from shipments.errors import SetupFault, Unreadable
from shipments.event import Reference

FORMATS = ("generic_json", "generic_csv")
PARCEL_FIELDS = (
    "tracking_number", "carrier", "piece", "piece_count", "journey", "estimated_delivery_at", "is_return", "is_test",
)  # fmt: skip
EVENT_FIELDS = (
    "code", "code_list", "description", "occurred_at", "reported_at", "facility", "city", "region", "postcode",
    "country", "unlocode", "provider_event_id", "signed_by", "document",
)  # fmt: skip
_TABLES: dict[str, tuple[str, ...] | None] = {
    "": ("title", "format", "accepted_status", "parcels", "events", "delimiter", "carrier"),
    "parcel": PARCEL_FIELDS,
    "event": EVENT_FIELDS,
    "time": ("shapes", "zone", "epoch", "midnight_is_a_date"),
    "references": None,
    "carriers": None,
    "codes": None,
    "proof": None,
}
_NAME = re.compile(r"[a-z][a-z0-9_]{1,39}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """A source as described. The finds look into a parcel, or into an event of it; `parcels` and `events` make lists.

    shapes: of its times, as for carriers.reading.moment; `epoch` is "", seconds or milliseconds. zone: the zone of the
    whole source, where neither an offset nor the country of the event says better. carrier: what says who carries a
    parcel (carried.py).
    """

    name: str
    title: str
    format: str
    proof: Proof
    codes: CodeTable
    parcels: Find | None
    events: Find | None
    carrier: Callable[[Any, str], tuple[Reference, ...]]
    parcel: Mapping[str, Find]
    event: Mapping[str, Find]
    references: Mapping[str, Find]
    shapes: tuple[str, ...]
    zone: str | None
    epoch: str
    midnight_is_a_date: bool
    delimiter: str
    accepted_status: int
    transports: tuple[str, ...]


def describe(path: Path) -> Description:
    """The description in the file. Raises SetupFault with every fault and its line."""
    try:
        written = path.read_text(encoding="utf-8-sig")
        said = tomllib.loads(written)
    except (OSError, UnicodeDecodeError) as fault:
        raise SetupFault([f"{path}: cannot be read ({fault})"]) from None
    except tomllib.TOMLDecodeError as fault:
        line = re.search(r"line (\d+)", str(fault))
        raise SetupFault([f"{path}:{line[1] if line else 'end'}: {fault}"]) from None
    checked = _Checked(path, written, said)
    description = checked.read()
    if checked.faults:
        raise SetupFault(checked.faults)
    return description


class _Checked:
    """Reads the parts of a description and gathers their faults."""

    def __init__(self, path: Path, written: str, said: dict[str, Any]) -> None:
        self.faults: list[str] = []
        self._path = path
        self._lines = written.splitlines()
        self._said = said

    def read(self) -> Description:
        self._refuse_strangers()
        name = self._path.stem
        if not _NAME.fullmatch(name):
            self._fault("", "", f"the file's name {name!r} becomes the carrier's: 2 to 40 of a-z, 0-9 and _")
        form = self._choice("", "format", FORMATS)
        if self._said.get("accepted_status", 202) not in (200, 202):
            self._fault(
                "", "accepted_status", "accepted_status is 202, or 200 where they take nothing else for received"
            )
        proof = self._proof()
        parcel = self._finds("parcel", form, ("tracking_number",))
        return Description(
            name=name,
            title=self._text("", "title") or name,
            format=form,
            proof=proof,
            codes=self._codes(),
            parcels=self._list("parcels", form),
            events=self._list("events", form),
            carrier=carrier_of(parcel.get("carrier"), tuple(self._patterns()), self._carrier("", "carrier")),
            parcel=parcel,
            event=self._finds("event", form, ("code", "occurred_at")),
            references=self._finds("references", form, ()),
            shapes=self._shapes(),
            zone=self._zone(),
            epoch=self._choice("time", "epoch", ("", "seconds", "milliseconds")),
            midnight_is_a_date=bool(self._table("time").get("midnight_is_a_date")),
            delimiter=self._text("", "delimiter") or "",
            accepted_status=200 if self._said.get("accepted_status") == 200 else 202,
            transports=("file",) if isinstance(proof, NotPushed) else ("push", "file"),
        )

    def _fault(self, table: str, key: str, what: str) -> None:
        self.faults.append(f"{self._path}:{self._line(table, key)}: {what}")

    def _line(self, table: str, key: str) -> int:
        """The line of the key in its table, else of the table, else the first."""
        current, at_table = "", 1
        for number, line in enumerate(self._lines, 1):
            if heading := re.match(r"\s*\[+([^\]]+)\]", line):
                current = heading[1].strip()
                at_table = number if current == table else at_table
            elif current == table and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*=""", line):
                return number
        return at_table

    def _refuse_strangers(self) -> None:
        for key, value in self._said.items():
            if isinstance(value, dict) and key in _TABLES:
                allowed = _TABLES[key]
                for inner in value:
                    if allowed is not None and inner not in allowed:
                        self._fault(key, inner, f"[{key}] has no {inner!r}; there are {', '.join(allowed)}")
            elif key not in (_TABLES[""] or ()):
                self._fault(key if isinstance(value, dict) else "", key, f"{key!r} is nothing that is read here")

    def _table(self, name: str) -> dict[str, Any]:
        value = self._said.get(name, {}) if name else self._said
        return value if isinstance(value, dict) else {}

    def _text(self, table: str, key: str) -> str | None:
        value = self._table(table).get(key)
        if value is None or isinstance(value, str):
            return value
        self._fault(table, key, f"{key} is not a text")
        return None

    def _choice(self, table: str, key: str, words: tuple[str, ...]) -> str:
        value = self._text(table, key) or ""
        if value not in words:
            self._fault(table, key, f"{key} is one of {', '.join(filter(None, words))}")
        return value

    def _list(self, key: str, form: str) -> Find | None:
        value = self._text("", key)
        if value is None:
            return None
        if form == "generic_csv":
            self._fault("", key, f"a table has a row for each event: {key} is for generic_json")
            return None
        return self._find("", key, value, form)

    def _finds(self, table: str, form: str, needed: tuple[str, ...]) -> dict[str, Find]:
        given = self._table(table)
        for key in needed:
            if key not in given:
                self._fault(table, key, f"[{table}] needs {key}")
        found = {key: self._find(table, key, self._text(table, key), form) for key in given}
        return {key: find for key, find in found.items() if find}

    def _find(self, table: str, key: str, written: str | None, form: str) -> Find | None:
        if not written:
            self._fault(table, key, f"{key} is empty")
            return None
        if form == "generic_csv":
            return column(written)
        try:
            return path_finder(written)
        except ValueError as fault:
            self._fault(table, key, f"{key} is no JMESPath: {str(fault).splitlines()[0]}")
            return None

    def _carrier(self, table: str, key: str) -> str | None:
        name = self._text(table, key)
        if name is not None and not _NAME.fullmatch(name):
            self._fault(table, key, f"{name!r} is no carrier's name, such as ups, nor the word detect")
            return None
        return name

    def _patterns(self) -> Iterator[tuple[re.Pattern[str], str]]:
        for pattern in self._table("carriers"):
            name = self._carrier("carriers", pattern)
            if name == DETECT:
                self._fault("carriers", pattern, 'detect stands at the top: carrier = "detect"')
            try:
                compiled = re.compile(pattern)
            except re.error as fault:
                self._fault("carriers", pattern, f"{pattern!r} is no regular expression: {fault}")
            else:
                if name:
                    yield compiled, name

    def _shapes(self) -> tuple[str, ...]:
        shapes = self._table("time").get("shapes", ["iso"])
        if not (isinstance(shapes, list) and shapes and all(isinstance(shape, str) for shape in shapes)):
            self._fault("time", "shapes", 'shapes is a list of texts such as ["%d.%m.%Y %H:%M"] or ["iso"]')
            return ("iso",)
        for shape in shapes:
            try:
                moment("x", shape)
            except Unreadable:
                continue
            except ValueError as fault:
                self._fault("time", "shapes", f"{shape!r}: {fault}")
        return tuple(shapes)

    def _zone(self) -> str | None:
        zone = self._text("time", "zone")
        if zone and not is_zone(zone):
            self._fault("time", "zone", f"{zone!r} is no zone of the IANA list, such as Europe/Berlin")
            return None
        return zone

    def _codes(self) -> CodeTable:
        meanings: dict[str, Meaning] = {}
        for code, said in self._table("codes").items():
            words = {"milestone": said} if isinstance(said, str) else said
            if not isinstance(words, dict) or not set(words) <= {"milestone", "exception_category", "meaning"}:
                self._fault(
                    "codes", code, 'a code is a milestone, or { milestone = "...", exception_category = "..." }'
                )
                continue
            meaning = read_meaning(str(words.get("milestone", "")), str(words.get("exception_category", "")))
            if isinstance(meaning, str):
                self._fault("codes", code, meaning)
            else:
                meanings[code] = meaning
        return CodeTable.of(meanings)

    def _proof(self) -> Proof:
        said = self._said.get("proof")
        if said is None:
            return NotPushed()
        try:
            return read_proof(said)
        except ValueError as fault:
            key = str(fault).partition(":")[0]
            self._fault("proof", key, str(fault))
            return NotPushed()
