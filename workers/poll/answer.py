"""What came back from a carrier, whatever was asked."""

from dataclasses import dataclass, field
from datetime import timedelta

from carriers.polling import Outcome


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. retry_after: how long the carrier asks to be left alone. why: in words, without any secret."""

    outcome: Outcome
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    retry_after: timedelta | None = None
    why: str = ""
