"""Every setting has a sentence, stands in .env.example with its default, and can be found by an operator."""

import re
from dataclasses import Field, fields
from pathlib import Path

import pytest

from config.settings import Settings

EXAMPLE = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")
NAMED = dict(re.findall(r"^#?([A-Z][A-Z0-9_<>]*)=(.*)$", EXAMPLE, re.MULTILINE))
SETTINGS = fields(Settings)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_has_a_sentence(setting: Field[object]) -> None:
    assert re.fullmatch(r"[A-Z`a-z].{10,}\.", setting.metadata["sentence"])


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_stands_in_the_example_with_its_default_and_its_sentence(setting: Field[object]) -> None:
    assert NAMED[setting.metadata["name"]] == setting.metadata["default"]
    assert f"# {setting.metadata['sentence']}\n" in EXAMPLE


def test_the_example_names_no_setting_that_does_not_exist() -> None:
    assert set(NAMED) == {setting.metadata["name"] for setting in SETTINGS}
