"""A process under config.embedded.keep, seen from whoever started it."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

KEEP = Path(__file__).with_name("keep.py")
"""Run as a file, so that it starts the same wherever we are installed."""


class Supervised:
    """Starts a command so that it is started again whenever it dies, and ends with us.

    With silent_seconds also when it shows no progress for so long, see config/embedded/keep.py.
    """

    def __init__(
        self,
        name: str,
        command: list[str],
        home: Path,
        *,
        stop_signal: str = "TERM",
        grace_seconds: float = 10,
        silent_seconds: float = 0,
        descriptors: tuple[int, ...] = (),
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.home = home
        self._file = home / "run" / f"{name}.pid"
        self._environ = environ
        self._descriptors = descriptors
        self._grace_seconds = grace_seconds
        self._keep: subprocess.Popen[bytes] | None = None
        self._command = [sys.executable, str(KEEP), name, "--home", str(home), "--parent", str(os.getpid())]
        self._command += ["--stop-signal", stop_signal, "--grace-seconds", str(grace_seconds)]
        self._command += ["--silent-seconds", str(silent_seconds)]
        self._command += [word for number in descriptors for word in ("--pass", str(number))]
        self._command += ["--", *command]

    def start(self, output: int | IO[bytes] | None = None) -> subprocess.Popen[bytes]:
        """Starts it, its output going where `output` says (as for subprocess)."""
        self._file.unlink(missing_ok=True)
        self._keep = subprocess.Popen(
            self._command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output is not None else None,
            pass_fds=self._descriptors,
            env=self._environ,
            process_group=0,
        )
        return self._keep

    @property
    def pid(self) -> int:
        """The process id of the command itself; 0 while it has none."""
        try:
            return int(self._file.read_text(encoding="ascii"))
        except (FileNotFoundError, ValueError):
            return 0

    @property
    def is_kept(self) -> bool:
        """Whether somebody still starts it again when it dies."""
        return self._keep is not None and self._keep.poll() is None

    def ask_to_stop(self) -> None:
        """Asks, without waiting."""
        if self._keep is not None and self.is_kept:
            self._keep.terminate()

    def stop(self) -> None:
        """Asks it to end, waits, and ends it by force after its grace."""
        self.ask_to_stop()
        if self._keep is None:
            return
        try:
            self._keep.wait(self._grace_seconds + 5)
        except subprocess.TimeoutExpired:
            self._keep.kill()
            self._keep.wait()
        self._keep = None

    def wait_for_pid(self, other_than: int = 0, seconds: float = 10) -> int:
        """The command's process id, once it has one that is not the given one; 0 if that takes too long."""
        deadline = time.monotonic() + seconds
        while (pid := self.pid) in (0, other_than) and time.monotonic() < deadline:
            time.sleep(0.02)
        return 0 if pid == other_than else pid
