"""`make carrier`."""

from pathlib import Path

import pytest

from carriers.codes import CodeTable
from carriers.registry import folder_names
from tests.new_carrier import make


@pytest.mark.requirement("M63")
def test_a_new_folder_has_everything_but_its_content(tmp_path: Path) -> None:
    made = make("acme_parcels", tmp_path)
    assert {path.name for path in made} == {"__init__.py", "parser.py", "codes.csv", "README.md"}
    assert (tmp_path / "acme_parcels" / "samples").is_dir()
    words = "".join(path.read_text() for path in made)
    assert "_template" not in words
    assert "CARRIER_ACME_PARCELS_SECRETS" in words
    assert len(CodeTable(tmp_path / "acme_parcels" / "codes.csv")) == 0, "the contract would not notice an unfilled one"
    assert "TODO" in (tmp_path / "acme_parcels" / "README.md").read_text()


@pytest.mark.parametrize("name", ["", "Acme", "9x", "../x", "proof", "a-b"])
def test_a_name_that_cannot_be_one_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be a carrier's name"):
        make(name, tmp_path)


def test_a_folder_that_is_there_is_left_alone(tmp_path: Path) -> None:
    make("acme", tmp_path)
    with pytest.raises(ValueError, match="there already"):
        make("acme", tmp_path)


def test_the_template_is_no_carrier() -> None:
    assert not [name for name in folder_names() if name.startswith("_")]
