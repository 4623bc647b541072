"""Stands in for a host whose clock is off: Python imports this first where its folder is on PYTHONPATH.

CHAOS_SKEWED is how a word of the command line begins of the process that is on that host (its children are too), and
CHAOS_SKEW_SECONDS by how much its clock is fast, or slow if negative. Only what Python tells of the time is shifted.
"""

import ctypes
import datetime
import gc
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
    """From now on, the time of day is another. Durations (time.monotonic) stay what they are.

    The class itself stays the real one, or whoever looks up by type what a field holds would not know it.
    """
    real_now, true_time, true_time_ns = datetime.datetime.now, time.time, time.time_ns
    by = datetime.timedelta(seconds=seconds)
    (names,) = gc.get_referents(datetime.datetime.__dict__)
    names["now"] = classmethod(lambda _, tz=None: real_now(tz) + by)
    names["utcnow"] = classmethod(lambda _: real_now(datetime.UTC).replace(tzinfo=None) + by)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))
    time.time = lambda: true_time() + seconds
    time.time_ns = lambda: true_time_ns() + seconds * 1_000_000_000


if is_meant():
    shift(int(os.environ["CHAOS_SKEW_SECONDS"]))
