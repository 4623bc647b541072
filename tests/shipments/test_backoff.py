"""How long is waited before trying again."""

from datetime import timedelta

import pytest

from shipments.backoff import backoff

FIRST, LONGEST = timedelta(seconds=2), timedelta(seconds=30)


@pytest.mark.requirement("M84", "M129")
def test_the_wait_doubles_with_each_failure_and_is_bounded_however_many_there_are() -> None:
    waits = [backoff(failures, FIRST, LONGEST, jitter=0).total_seconds() for failures in (0, 1, 2, 3, 4, 5, 10_000)]
    assert waits == [2, 2, 4, 8, 16, 30, 30]


@pytest.mark.requirement("M84", "M129")
def test_those_who_failed_together_do_not_come_back_together() -> None:
    waits = {backoff(3, FIRST, LONGEST) for _ in range(50)}
    assert len(waits) > 40
    assert all(timedelta(seconds=6) <= wait <= timedelta(seconds=10) for wait in waits)
