"""The reference samples, read beside ours: `pytest --reference PATH`, by default those next to the repository.

What each one means is written down in carriers/<name>/samples/reference.csv: its milestones in the order they are read,
`notice` for a message without events, or `unreadable`.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

import carriers
from carriers.base import Message
from carriers.registry import find_carrier, folder_names
from shipments.errors import Unreadable

FOLDER = Path(carriers.__file__).parent


def written(name: str) -> dict[str, str]:
    """What the carrier's reference.csv says, by file name."""
    table = FOLDER / name / "samples" / "reference.csv"
    if not table.exists():
        return {}
    with table.open(encoding="utf-8", newline="") as file:
        return {row["file"]: row["means"] for row in csv.DictReader(file)}


def meaning_of(name: str, path: Path) -> str:
    carrier = find_carrier(name)
    assert carrier
    kind = {".json": "application/json", ".xml": "application/xml"}.get(path.suffix, "text/plain")
    try:
        reading = carrier.parse(Message(path.read_bytes(), {"content-type": kind}))
    except Unreadable:
        return "unreadable"
    return " ".join(event.milestone.value for event in reading.events) or "notice"


def references(root: Path, name: str) -> Iterator[Path]:
    return (path for path in sorted((root / name).glob("*")) if path.is_file())


@pytest.mark.parametrize("name", folder_names())
@pytest.mark.requirement("M22", "M30")
def test_a_reference_sample_means_what_is_written(name: str, request: pytest.FixtureRequest) -> None:
    root = Path(request.config.getoption("--reference"))
    if not root.is_dir():
        pytest.skip(f"there are no reference samples at {root}; name their folder with --reference")
    found = {path.name: meaning_of(name, path) for path in references(root, name)}
    if not found:
        pytest.skip(f"{root} has no samples of {name}")
    assert found == written(name), f"compare with carriers/{name}/samples/reference.csv"
