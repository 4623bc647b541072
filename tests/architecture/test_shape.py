"""The shape of the code: who may know whom, and that nothing is half there."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from carriers.registry import carrier_names
from config.queues import QUEUES
from shipments.store.database import make_engine
from shipments.store.migrate import alembic_config
from shipments.store.schema import metadata
from workers import tasks
from workers.beat import SCHEDULE
from workers.celery import app

ROOT = Path(__file__).parents[2]


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    return found


def test_imports_point_the_right_way():
    linter = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


@pytest.mark.requirement("M63", "M65")
@pytest.mark.parametrize("name", carrier_names())
def test_a_carrier_knows_no_other_carrier(name):
    others = {f"carriers.{other}" for other in carrier_names() if other != name}
    for path in (ROOT / "carriers" / name).glob("*.py"):
        assert not {i for i in imports(path) if any(i == o or i.startswith(o + ".") for o in others)}, path


@pytest.mark.requirement("M63", "M65")
def test_nothing_outside_a_carriers_folder_names_it():
    """Adding the folder is all there is to it: no list, no route and no rule names a carrier."""
    named = re.compile(rf"\b({'|'.join(carrier_names())})\b", re.IGNORECASE)
    for package in ("app", "config", "shipments", "workers"):
        for path in (ROOT / package).rglob("*.py"):
            assert not named.search(without_docstrings(path)), path


def without_docstrings(path: Path) -> str:
    """The code alone, comments gone too."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(getattr(node, "body", None), list):
            is_text = [isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant) for n in node.body]
            node.body = [n for n, text in zip(node.body, is_text, strict=True) if not text] or [ast.Pass()]
    return ast.unparse(tree)


def test_there_is_one_migration_head_and_the_tables_match_it(database_url):
    assert len(ScriptDirectory.from_config(alembic_config()).get_heads()) == 1
    engine = make_engine(database_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    engine.dispose()


def test_every_stage_has_a_task_a_queue_a_beat_and_a_page_in_the_docs():
    stages = set(tasks.__all__)
    app.loader.import_default_modules()
    assert stages <= set(app.tasks)
    assert {name.split(".")[0] for name in QUEUES} == stages
    assert {entry["task"] for entry in SCHEDULE.values()} == stages
    headings = re.findall(r"^#+ (\w+)", (ROOT / "docs" / "stages.md").read_text(), re.MULTILINE)
    assert stages <= {h.lower() for h in headings}


def test_celery_carries_wake_ups_only():
    """A task's arguments are a lane at most: never a message, an event or a person."""
    for entry in SCHEDULE.values():
        assert len(entry["args"]) <= 1
    for path in (ROOT / "workers").rglob("*.py"):
        for call in re.findall(r"\bwake\(([^)]*)\)", path.read_text()):
            assert len(call.split(",")) <= 3, f"{path}: wake({call})"
