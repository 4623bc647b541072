"""A sign of life: a line in a file that says when a process last made progress, and what it does.

Whoever keeps the process names the file in the environment; config/embedded/keep.py does. `python -m config.alive FILE`
says the line, and ends with 1 where it is older than SILENT_SECONDS: the health check of a container. Imports the
standard library only.
"""

import os
import sys
import time
from pathlib import Path

from config.embedded.keep import ALIVE, read_sign

SILENT_SECONDS = 45
"""Above the 30 seconds that Celery waits at most between two tries to reach its broker."""

_WIDTH = 120


class Sign:
    """The file of this process. `show` writes it; without a file nobody watches, and nothing is written."""

    def __init__(self, file: Path | None) -> None:
        self.file = file

    @classmethod
    def of_this_process(cls) -> "Sign":
        """The file that whoever keeps us has named."""
        named = os.environ.get(ALIVE)
        return cls(Path(named) if named else None)

    @property
    def name(self) -> str:
        """What the keeper calls this process, as in Procfile."""
        return self.file.stem if self.file else ""

    def show(self, progressed_at: float, words: str) -> None:
        """progressed_at is in seconds of time.monotonic(), which all processes of a machine share and nobody sets.

        Raises OSError.
        """
        if self.file is None:
            return
        line = f"{progressed_at:.2f} {words}"[: _WIDTH - 1].ljust(_WIDTH - 1) + "\n"
        # Over the old line and in one piece, since a full disk has no room for a new file.
        descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            os.pwrite(descriptor, line.encode("ascii", "replace"), 0)
        finally:
            os.close(descriptor)


def main(file: Path) -> int:
    """The exit status of a health check."""
    progressed_at, words = read_sign(file)
    if progressed_at is None:
        sys.stdout.write(f"{file} holds no sign of life\n")
        return 1
    silent = max(0.0, time.monotonic() - progressed_at)
    sys.stdout.write(f"progress {silent:.0f} s ago: {words}\n")
    return int(silent > SILENT_SECONDS)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
