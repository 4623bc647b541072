"""How long somebody asks to be left alone."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from workers.retry_after import LONGEST, read_retry_after


@pytest.mark.parametrize(
    ("written", "wait"),
    [
        ("5", timedelta(seconds=5)),
        ("0", timedelta(0)),
        ("86401", LONGEST),
        ("9" * 400, LONGEST),
        ("Wed, 21 Oct 2015 07:28:00 GMT", timedelta(0)),
        ("Wed, 21 Oct 2015 07:28:00", timedelta(0)),
        ("Wed, 21 Oct 9015 07:28:00 GMT", LONGEST),
    ],
)
def test_a_wait_is_a_number_of_seconds_or_a_date_and_at_most_a_day(written: str, wait: timedelta) -> None:
    assert read_retry_after(written) == wait


def test_a_date_is_a_wait_from_now_on() -> None:
    wait = read_retry_after(format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True))
    assert wait is not None
    assert timedelta(minutes=59) < wait <= timedelta(hours=1)


@pytest.mark.parametrize(
    "nonsense", ["", "soon", "-5", "1.5", "\u0665", "Wed, 99 Oct 2015", "Wed, 21 Oct 99999999999999 07:28:00"]
)
def test_what_is_neither_says_nothing(nonsense: str) -> None:
    assert read_retry_after(nonsense) is None
