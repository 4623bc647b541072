"""Sources described in a TOML file instead of written in Python: `generic_json` and `generic_csv`.

docs/sources.md says what stands in such a file. `check_source` lists its faults by line; `load_source` makes a carrier.
"""

from pathlib import Path

from carriers.base import Carrier
from carriers.sources.description import Description, describe
from carriers.sources.reader import reader_of
from shipments.errors import SetupFault

__all__ = ["check_source", "load_source", "source_files"]


def source_files(folder: Path) -> dict[str, Path]:
    """The descriptions in the folder, by the carrier's name, which is the file's."""
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def check_source(path: Path) -> list[str]:
    """Every fault of the description, as `file:line: what`; empty if it is right."""
    try:
        load_source(path)
    except SetupFault as fault:
        return fault.faults
    return []


def load_source(path: Path) -> Carrier:
    """The carrier that the file describes. Raises SetupFault with every fault and its line."""
    described: Description = describe(path)
    return Carrier(
        name=described.name,
        title=described.title,
        proof=described.proof,
        parse=reader_of(described),
        codes=described.codes,
        accepted_status=described.accepted_status,
        transports=described.transports,
    )
