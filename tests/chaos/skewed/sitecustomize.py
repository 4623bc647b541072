"""Stands in for a host whose clock is off: Python imports this first where its folder is on PYTHONPATH.

CHAOS_SKEWED is how a word of the command line begins of the process that is on that host (its children are too), and
CHAOS_SKEW_SECONDS by how much its clock is fast, or slow if negative. Only what Python tells of the time is shifted.
"""

import datetime
import os
import sys
import time
from pathlib import Path


def is_meant() -> bool:
    """Whether this process is the one, or a child of it."""
    mark = os.environ.get("CHAOS_SKEWED", "")
    if mark and any(Path(word).name.startswith(mark) for word in sys.orig_argv[1:]):
        os.environ["CHAOS_SKEWED_PARENT"] = "yes"
    return "CHAOS_SKEWED_PARENT" in os.environ


def shift(seconds: int) -> None:
    """From now on, the time of day is another. Durations (time.monotonic) stay what they are."""
    real, true_time, true_time_ns = datetime.datetime, time.time, time.time_ns
    by = datetime.timedelta(seconds=seconds)

    class Kind(type):
        def __instancecheck__(cls, instance: object) -> bool:
            return isinstance(instance, real)

        def __subclasscheck__(cls, other: type) -> bool:
            return issubclass(other, real)

    class Shifted(real, metaclass=Kind):
        """Makes plain datetimes, so that nobody sees a difference but the time."""

        def __new__(cls, *values, **named):
            return real.__new__(real, *values, **named)

        @classmethod
        def now(cls, tz=None):
            return real.now(tz) + by

        @classmethod
        def utcnow(cls):
            return real.now(datetime.UTC).replace(tzinfo=None) + by

    datetime.datetime = Shifted
    time.time = lambda: true_time() + seconds
    time.time_ns = lambda: true_time_ns() + seconds * 1_000_000_000


if is_meant():
    shift(int(os.environ["CHAOS_SKEW_SECONDS"]))
