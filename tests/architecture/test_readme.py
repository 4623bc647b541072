"""What the README says can be done can be done."""

import re
from importlib.metadata import entry_points
from pathlib import Path

from click.testing import CliRunner

from app.cli import GROUP, milepost

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


def test_every_make_target_it_names_exists():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", README)) - {"it", "sure"} <= targets


def test_every_command_it_names_runs_and_explains_itself():
    named = {tuple(words.split()) for words in re.findall(r"milepost ((?:odoo )?[a-z-]+)", README)}
    named = {words for words in named if words[0] in {e.name for e in entry_points(group=GROUP)} | {"odoo"}}
    assert len(named) >= 9
    for words in named:
        result = CliRunner().invoke(milepost, [*words, "--help"])
        assert result.exit_code == 0, (words, result.output)
        assert "Usage" in result.output


def test_every_file_it_points_to_is_there():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / target).exists(), target


def test_every_command_there_is_stands_in_it():
    for command in entry_points(group=GROUP):
        assert f"milepost {command.name}" in README, command.name
