"""How long to wait before trying again: one rule for Odoo, for carriers and for effects."""

import random
from datetime import timedelta


def backoff(failures: int, first: timedelta, longest: timedelta, jitter: float = 0.25) -> timedelta:
    """The wait after so many failures in a row: doubling from `first`, at most `longest`.

    jitter: the share by which it is made shorter or longer at random, so that those who failed together do not come
    back together; the last wait may be longer than `longest` by that share.
    """
    wait: timedelta = min(longest, first * (1 << min(max(failures, 1) - 1, 30)))
    return wait * random.uniform(1 - jitter, 1 + jitter)  # noqa: S311, spreads load and guards nothing
