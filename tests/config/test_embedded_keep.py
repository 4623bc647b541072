"""One process is kept running, and nothing of it is left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from config.embedded import keep
from config.embedded.supervised import Supervised
from tests.eventually import eventually

STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def is_running(pid: int) -> bool:
    """A zombie that nobody has collected yet does not run."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_killed_process_is_started_again(tmp_path: Path) -> None:
    process = Supervised("sleeper", ["sleep", "60"], tmp_path)
    process.start()
    try:
        first = process.wait_for_pid()
        os.kill(first, signal.SIGKILL)
        second = process.wait_for_pid(other_than=first)
        assert is_running(second)
    finally:
        process.stop()
    assert not is_running(second)
    assert process.pid == 0


def test_what_a_killed_process_leaves_behind_is_ended_before_the_next_start(tmp_path: Path) -> None:
    orphan = tmp_path / "orphan"
    process = Supervised("parent", ["/bin/sh", "-c", f"sleep 60 & echo $! > {orphan}; wait"], tmp_path)
    process.start()
    try:
        assert eventually(lambda: orphan.exists() and orphan.read_text().strip() != "")
        left = int(orphan.read_text())
        os.kill(process.wait_for_pid(), signal.SIGKILL)
        assert eventually(lambda: not is_running(left))
    finally:
        process.stop()


def test_a_process_that_does_not_listen_is_ended_by_force(tmp_path: Path) -> None:
    process = Supervised("stubborn", [sys.executable, "-c", STUBBORN], tmp_path, grace_seconds=0.3)
    running = process.start(subprocess.PIPE)
    assert running.stdout.readline() == b"up\n"
    pid = process.wait_for_pid()
    process.stop()
    running.stdout.close()
    assert not is_running(pid)


def test_everything_ends_when_whoever_started_it_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from config.embedded.supervised import Supervised\n"
        f"process = Supervised('sleeper', ['sleep', '60'], Path({str(tmp_path)!r})); process.start()\n"
        "print(process.wait_for_pid(), flush=True); time.sleep(60)"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, text=True
    )
    pid = int(owner.stdout.readline())
    assert is_running(pid)
    owner.kill()
    owner.wait()
    owner.stdout.close()
    assert eventually(lambda: not is_running(pid))


def test_a_process_ends_when_its_keeper_is_killed(tmp_path: Path) -> None:
    process = Supervised("sleeper", ["sleep", "60"], tmp_path)
    keeper = process.start()
    pid = process.wait_for_pid()
    keeper.kill()
    keeper.wait()
    assert eventually(lambda: not is_running(pid))


def test_pauses_grow_while_a_process_keeps_ending(tmp_path: Path) -> None:
    process = Supervised("flop", ["/bin/sh", "-c", "exit 7"], tmp_path)
    running = process.start(subprocess.PIPE)
    said = [running.stdout.readline().decode() for _ in range(3)]
    process.stop()
    running.stdout.close()
    assert said == [
        f"keep: flop ended (exit status 7), is started again in {pause} s\n" for pause in ("0.2", "0.4", "0.8")
    ]


def test_a_program_that_does_not_exist_is_said_and_not_tried_again(tmp_path: Path) -> None:
    process = Supervised("nothing", ["/does/not/exist"], tmp_path)
    running = process.start(subprocess.PIPE)
    assert b"nothing cannot be started" in running.stdout.read()
    assert running.wait() == 1
    running.stdout.close()


def shows(words: str, *moments: float) -> str:
    """Shows these moments as its progress, half a second apart, then lives on."""
    return (
        "import time; from pathlib import Path; from config.alive import Sign; sign = Sign.of_this_process()\n"
        f"for moment in {moments}: sign.show(moment, {words!r}); time.sleep(0.5)\n"
        "time.sleep(60)"
    )


@pytest.mark.requirement("X20")
def test_a_process_that_lives_and_gets_nowhere_is_killed_and_started_again(tmp_path: Path) -> None:
    code = shows("waits for Godot", 1, 2, 3, 4)
    told = dict(os.environ) | {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = Supervised("silent", [sys.executable, "-c", code], tmp_path, silent_seconds=1.2, environ=told)
    running = process.start(subprocess.PIPE)
    try:
        first = process.wait_for_pid()
        said = running.stdout.readline().decode()
        assert said.startswith("keep: silent made no progress for 1.2 s (it said: waits for Godot) and was killed, ")
        assert keep.read_sign(tmp_path / "run" / "silent.alive")[1] in ("starts", "waits for Godot")
        second = process.wait_for_pid(other_than=first)
        assert f"{keep.LAST_END}={keep.SILENT}" in Path(f"/proc/{second}/environ").read_text().split("\0")
    finally:
        process.stop()
        running.stdout.close()
    assert not (tmp_path / "run" / "silent.alive").exists()


def test_time_in_which_the_keeper_did_not_look_is_no_silence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(keep.time, "monotonic", lambda: now[0])
    file = tmp_path / "x.alive"
    file.write_text("5 well\n")
    silence = keep.Silence(file)
    assert silence.look() == 0
    now[0] += 3600  # the machine was suspended
    assert silence.look() == 2 * keep.LOOK_SECONDS
    file.write_text("6 well\n")
    assert silence.look() == 0


def test_keep_without_a_command_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        keep.main(["web"])
    assert "there is no command after --" in capsys.readouterr().err


@pytest.mark.parametrize(("status", "words"), [(3, "exit status 3"), (-9, "killed by SIGKILL")])
def test_how_a_process_ended_is_said_in_words(status: int, words: str) -> None:
    assert keep.how_it_ended(status) == words
