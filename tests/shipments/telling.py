"""Short ways to tell a story of events in tests."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from shipments.event import Event, TimeQuality
from shipments.fold import Dated, Standing, dated
from shipments.milestone import ExceptionCategory, Milestone
from shipments.store.rows import as_rows

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def told(milestone: str, hours: float = 0, category: str | None = None, **fields: Any) -> Event:
    """An event `hours` after START; its code is its milestone and its time unless the test says otherwise."""
    at = START + timedelta(hours=hours)
    defaults: dict[str, Any] = {
        "carrier": "testing",
        "tracking_number": "T1",
        "code": f"{milestone}@{hours}",
        "occurred_at": at,
        "occurred_text": at.isoformat(),
        "time_quality": TimeQuality.EXACT,
    }
    chosen = ExceptionCategory(category) if category else None
    return Event(milestone=Milestone(milestone), exception_category=chosen, **(defaults | fields))


def entries(*events: Event) -> list[Dated]:
    """The events with the moments they are ordered by, all received long after they happened."""
    return [dated(event, START + timedelta(days=1000)) for event in events]


def stored(standing: Standing) -> dict[str, Any]:
    """What comes back from the database of where something stands."""
    (row,) = json.loads(as_rows([standing]))
    return row
