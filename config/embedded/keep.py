"""Keeps one process running: `python -m config.embedded.keep NAME [--home FOLDER] -- command ...`.

Starts the command again when it ends unexpectedly, and ends with it on SIGTERM, on SIGINT, or when whoever started us
is gone. The child's process id is in FOLDER/run/NAME.pid. Imports the standard library only, so that it starts quickly.

With --silent-seconds the command must also show that it gets on: it is told a file (KEEP_ALIVE_FILE), writes there when
it last made progress (config/alive.py), and is killed and started again when that has not changed for so long.
"""

import argparse
import ctypes
import os
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 5.0
SETTLED_SECONDS = 10.0
"""A process that lived this long is well again: the next pause is short."""

MARK = "keep: "
"""How a line of ours starts, to tell it from the child's."""

ALIVE = "KEEP_ALIVE_FILE"
"""Tells the child where to show its sign of life."""

LAST_END = "KEEP_LAST_END"
"""Tells a child that is started again what became of the one before it: ENDED or SILENT."""

ENDED, SILENT = "ended", "silent"

LOOK_SECONDS = 0.5

PR_SET_PDEATHSIG = 1  # from linux/prctl.h


class Signals:
    """Sleeps until a signal comes, and remembers whether one of them asked us to end."""

    def __init__(self, parent: int) -> None:
        self.asked_to_end = False
        self._parent = parent
        self._woken, waker = socket.socketpair()
        self._woken.setblocking(False)
        waker.setblocking(False)
        self._waker = waker
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end)
        for number in (signal.SIGCHLD, signal.SIGUSR1):
            signal.signal(number, lambda *_: None)
        tell_when_parent_ends(signal.SIGUSR1)

    def _end(self, *_: object) -> None:
        self.asked_to_end = True

    @property
    def over(self) -> bool:
        """Whether to end: asked to, or left alone."""
        # Linux also sends the parent's-death signal when only the thread that started us ends, so the id decides.
        return self.asked_to_end or os.getppid() != self._parent

    def sleep(self, seconds: float) -> None:
        """Until a signal comes, or that long."""
        if select.select([self._woken], [], [], max(0.0, seconds))[0]:
            self._woken.recv(4096)


class Silence:
    """How long a child has shown no progress. Only time in which we looked ourselves counts.

    A machine that was suspended, or a keeper that was stopped, is no reason to kill every child.
    """

    def __init__(self, file: Path) -> None:
        self.words = ""
        self.seconds = 0.0
        self._file = file
        self._seen: float | None = None
        self._looked_at = time.monotonic()

    def look(self) -> float:
        """Reads the sign; the seconds since it last changed."""
        now = time.monotonic()
        progressed_at, self.words = read_sign(self._file)
        if progressed_at != self._seen:
            self._seen, self.seconds = progressed_at, 0.0
        else:
            self.seconds += min(now - self._looked_at, 2 * LOOK_SECONDS)
        self._looked_at = now
        return self.seconds


class Keep:
    """One command, started again whenever it ends, and where silent_seconds says so, when it gets nowhere."""

    def __init__(
        self,
        name: str,
        home: Path,
        command: list[str],
        *,
        stop_signal: int,
        grace_seconds: float,
        silent_seconds: float = 0.0,
    ) -> None:
        self.name = name
        self.file = home / "run" / f"{name}.pid"
        self.sign = home / "run" / f"{name}.alive"
        self.command = command
        self.stop_signal = stop_signal
        self.grace_seconds = grace_seconds
        self.silent_seconds = silent_seconds
        self.last_end = ""

    def run(self, signals: Signals, descriptors: tuple[int, ...]) -> int:
        """Until we are to end. Returns the exit status for our own process."""
        pause = FIRST_PAUSE_SECONDS
        while not signals.over:
            started = time.monotonic()
            try:
                child = self._start(descriptors)
            except OSError as fault:
                say(f"{self.name} cannot be started: {fault}")
                return 1
            why_silent = self._wait(child, signals)
            if signals.over:
                self._stop(child, signals)
                break
            kill_group(child.pid)
            child.wait()
            if time.monotonic() - started >= SETTLED_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self.last_end = SILENT if why_silent else ENDED
            end = why_silent or f"ended ({how_it_ended(child.returncode)})"
            say(f"{self.name} {end}, is started again in {pause:g} s")
            self._pause(pause, signals)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        self.file.unlink(missing_ok=True)
        self.sign.unlink(missing_ok=True)
        return 0

    def _start(self, descriptors: tuple[int, ...]) -> subprocess.Popen[bytes]:
        if self.silent_seconds:
            self.sign.parent.mkdir(parents=True, exist_ok=True)
            self.sign.write_text(f"{time.monotonic():.2f} starts\n", encoding="ascii")
        child = subprocess.Popen(
            self.command,
            env=self._environ(),
            process_group=0,
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            preexec_fn=lambda: tell_when_parent_ends(self.stop_signal),
        )
        self.file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self.file.with_suffix(".new")
        unfinished.write_text(f"{child.pid}\n", encoding="ascii")
        unfinished.replace(self.file)
        return child

    def _environ(self) -> dict[str, str]:
        environ = {name: value for name, value in os.environ.items() if name not in (ALIVE, LAST_END)}
        if self.silent_seconds:
            environ |= {ALIVE: str(self.sign.absolute()), LAST_END: self.last_end}
        return environ

    def _wait(self, child: subprocess.Popen[bytes], signals: Signals) -> str:
        """Until it ends, we are to end, or it is silent for too long: then why it has to go."""
        silence = Silence(self.sign)
        while child.poll() is None and not signals.over:
            signals.sleep(LOOK_SECONDS)
            if self.silent_seconds and silence.look() > self.silent_seconds:
                return f"made no progress for {self.silent_seconds:g} s (it said: {silence.words}) and was killed"
        return ""

    def _pause(self, seconds: float, signals: Signals) -> None:
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not signals.over:
            signals.sleep(min(left, 0.5))

    def _stop(self, child: subprocess.Popen[bytes], signals: Signals) -> None:
        # The leader alone is asked: a Celery or PostgreSQL whose children are signaled too takes it for a crash.
        deadline = time.monotonic() + self.grace_seconds
        if child.poll() is None:
            child.send_signal(self.stop_signal)
        while child.poll() is None and (left := deadline - time.monotonic()) > 0:
            signals.sleep(min(left, 0.5))
        kill_group(child.pid)
        child.wait()


def read_sign(file: Path) -> tuple[float | None, str]:
    """When the process last made progress, in seconds of time.monotonic(), and its words; None if it cannot be read."""
    try:
        moment, _, words = file.read_text(encoding="ascii", errors="replace").strip().partition(" ")
        return float(moment), words
    except (OSError, ValueError):
        return None, "nothing"


def tell_when_parent_ends(number: int) -> None:
    """Has Linux send us that signal when our parent ends. Elsewhere nothing happens: the parent's id is looked at."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number, 0, 0, 0)


def kill_group(leader: int) -> None:
    """Ends what is left of a process group, so that an orphan holds no port."""
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS says the second where only zombies are left
        return


def how_it_ended(status: int) -> str:
    """In words: exit status 1, or killed by SIGKILL."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def say(sentence: str) -> None:
    """A line of ours among the child's."""
    sys.stderr.write(f"{MARK}{sentence}\n")
    sys.stderr.flush()


def main(arguments: list[str]) -> int:
    """Reads the command line and keeps the command."""
    options, command = arguments, []
    if "--" in arguments:
        at = arguments.index("--")
        options, command = arguments[:at], arguments[at + 1 :]
    reader = argparse.ArgumentParser(prog="keep", usage="keep NAME [options] -- command ...", description=__doc__)
    reader.add_argument("name")
    reader.add_argument("--home", type=Path, default=Path(os.environ.get("MILEPOST_HOME") or ".milepost"))
    reader.add_argument("--stop-signal", default="TERM", help="the signal that asks the command to end")
    reader.add_argument("--grace-seconds", type=float, default=10.0, help="how long it may take to")
    reader.add_argument(
        "--silent-seconds", type=float, default=0.0, help="kill it when it shows no progress for so long; 0: never"
    )
    reader.add_argument(
        "--pass", type=int, action="append", default=[], dest="descriptors", help="open file to pass on"
    )
    reader.add_argument("--parent", type=int, default=os.getppid(), help="the process that started us")
    told = reader.parse_args(options)
    if not command:
        reader.error("there is no command after --")
    keep = Keep(
        told.name,
        told.home,
        command,
        stop_signal=signal.Signals["SIG" + told.stop_signal],
        grace_seconds=told.grace_seconds,
        silent_seconds=told.silent_seconds,
    )
    return keep.run(Signals(told.parent), tuple(told.descriptors))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
