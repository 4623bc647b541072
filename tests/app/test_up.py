"""`milepost up` runs everything, brings back what dies, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from app.commands import up
from app.commands.up import Up
from config.embedded.folder import free_port
from config.settings import load_settings
from shipments.errors import SetupFault
from tests.eventually import eventually

ROOT = Path(__file__).parents[2]


def environ(home: str | Path) -> dict[str, str]:
    """Ours, without what would lead to somebody's real servers."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MILEPOST_", "ODOO_", "SENTRY_"))}
    ports = {"MILEPOST_PORT": str(free_port()), "MILEPOST_FLOWER_PORT": str(free_port())}
    return {**kept, **ports, "MILEPOST_HOME": str(home), "PYTHONPATH": str(ROOT)}


def status(url: str, **options: object) -> int:
    try:
        return requests.get(url, timeout=5, **options).status_code
    except requests.ConnectionError:
        return 0


@pytest.fixture(scope="module")
def running() -> Iterator[Up]:
    with tempfile.TemporaryDirectory(prefix="milepost-up-") as home, Up(environ(home)) as everything:
        yield everything


def test_the_web_server_is_ready_when_start_returns(running: Up) -> None:
    assert status(f"{running.web_url}/readyz") == 200


def test_every_process_of_the_procfile_runs(running: Up) -> None:
    assert list(running.pids) == list(up.read_procfile())
    assert eventually(lambda: all(running.pids.values()))


@pytest.mark.requirement("B6")
def test_flower_asks_for_the_login_that_was_made(running: Up) -> None:
    assert eventually(lambda: status(running.flower_url) == 401)
    user, _, password = running.settings.flower_auth.partition(":")
    assert status(running.flower_url, auth=(user, password)) == 200
    assert status(f"{running.flower_url}/api/workers") == 401


def test_no_secret_stands_among_the_arguments_of_a_process(running: Up) -> None:
    secrets = [running.settings.flower_auth.partition(":")[2], running.settings.secret_key[0][1].hex()]
    secrets += [running.settings.database_url, running.settings.redis_url]
    for pid in running.pids.values():
        arguments = Path(f"/proc/{pid}/cmdline").read_text()
        assert not [secret for secret in secrets if secret in arguments]


def test_a_killed_web_server_is_ready_again(running: Up) -> None:
    before = running.pids["web"]
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: running.pids["web"] not in (0, before) and status(f"{running.web_url}/readyz") == 200)


def test_a_killed_worker_and_its_children_are_replaced(running: Up) -> None:
    before = running.pids["worker"]
    assert eventually(lambda: len(running_of_group(before)) > 1), "the worker has children"
    os.kill(before, signal.SIGKILL)
    assert eventually(lambda: running.pids["worker"] not in (0, before))
    assert running_of_group(before) == []


def running_of_group(group: int) -> list[int]:
    """Its processes, without zombies that nobody has collected yet."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state, _, its_group = (process / "stat").read_text().rpartition(")")[2].split()[:3]
        except OSError:
            continue
        if state != "Z" and int(its_group) == group:
            found.append(int(process.name))
    return found


def test_the_key_is_kept_from_one_start_to_the_next(running: Up) -> None:
    key = Path(running.settings.home) / "keys" / "secret-key"
    assert load_settings({"MILEPOST_SECRET_KEY": key.read_text()}).secret_key == running.settings.secret_key
    assert key.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_with_0_and_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    code = "from app.commands.up import up; up()"
    told = environ(tmp_path)
    command = subprocess.Popen([sys.executable, "-c", code], env=told, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    lines = iter(command.stdout.readline, "")
    assert any(line.startswith("Milepost is up.") for line in lines)
    pids = [int(file.read_text()) for file in tmp_path.glob("run/*.pid")]
    assert len(pids) >= len(up.read_procfile())
    command.send_signal(number)
    assert command.stdout.read().endswith("Milepost has stopped.\n")
    assert command.wait(60) == 0
    command.stdout.close()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_a_taken_port_is_said_with_the_name_of_its_setting(tmp_path: Path) -> None:
    told = environ(tmp_path)
    with socket.create_server(("127.0.0.1", int(told["MILEPOST_PORT"]))), pytest.raises(SetupFault) as refused:
        Up(told).start()
    assert "MILEPOST_PORT" in str(refused.value)
    assert not (tmp_path / "lock").exists(), "nothing was started"


def test_a_database_that_is_away_is_said_in_one_sentence(tmp_path: Path) -> None:
    told = environ(tmp_path)
    told["MILEPOST_REDIS_URL"] = f"redis://127.0.0.1:{free_port()}/0"
    told["MILEPOST_DATABASE_URL"] = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    with pytest.raises(SetupFault, match=r"^The database of MILEPOST_DATABASE_URL cannot be used: .*refused"):
        Up(told, progress=lambda _: None).start()


def test_a_process_that_keeps_ending_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = {**up.read_procfile(), "web": "exit 3"}
    monkeypatch.setattr(up, "read_procfile", lambda: lines)
    told: list[str] = []
    everything = Up(environ(tmp_path), progress=told.append)
    with pytest.raises(SetupFault, match="does not become ready"):
        everything.start()
    assert any(line.startswith("web keeps ending") for line in told)


def test_flower_does_not_start_without_a_login(tmp_path: Path) -> None:
    told = environ(tmp_path)
    done = subprocess.run(
        ["/bin/sh", "-c", up.read_procfile()["flower"]], env=told, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "Flower needs a login" in done.stderr
