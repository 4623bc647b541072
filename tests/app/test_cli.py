"""The command line finds its commands by name and says what is wrong in sentences."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from app import cli
from app.commands.keys import new_key
from config.embedded import EmbeddedFault
from config.settings import BadSettings, load_settings
from shipments.errors import SetupFault, Unreadable

ROOT = Path(__file__).parents[2]


def test_naming_no_command_loads_none() -> None:
    code = "import sys, app.cli; sys.exit(any(name in sys.modules for name in ('celery', 'sqlalchemy', 'flask')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_declared_command_is_offered() -> None:
    names = cli.milepost.list_commands(None)
    assert {"up", "new-key", "parse", "carriers", "send-sample", "replay", "odoo"} <= set(names)


def test_an_unknown_command_is_refused() -> None:
    done = CliRunner().invoke(cli.milepost, ["sing"])
    assert (done.exit_code, "No such command 'sing'" in done.stderr) == (2, True)


def test_the_version_is_printed() -> None:
    assert CliRunner().invoke(cli.milepost, ["--version"]).output.startswith("milepost, version ")


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Unreadable("no JSON"), 2),
        (SetupFault(["one", "two"]), 1),
        (BadSettings(["one", "two"]), 1),
        (EmbeddedFault("no room"), 1),
    ],
)
def test_a_fault_is_said_in_sentences_and_never_as_a_traceback(
    fault: Exception, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise fault

    monkeypatch.setattr(cli, "milepost", fails)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == status
    assert capsys.readouterr().err == "".join(f"milepost: {line}\n" for line in str(fault).splitlines())


def test_a_new_key_is_one_the_settings_accept() -> None:
    printed = CliRunner().invoke(new_key).output
    (name, key), (older, _) = load_settings({"MILEPOST_SECRET_KEY": f"{printed.strip()},old:{'A' * 43}="}).secret_key
    assert (len(key), older) == (32, "old")
    assert name
