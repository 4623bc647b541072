"""Python's collector of cyclic garbage, told what our processes are like."""

import gc

_YOUNG = 50_000
"""New objects until the next look. Python's own 700 (2,000 since 3.13) made it look several times a message, for
nothing: what a message leaves behind is no cycle, and is freed at once without the collector."""


def collect_seldom() -> None:
    """Once everything is imported: what is there now stays, and the collector need not look at it again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, 10, 10)
