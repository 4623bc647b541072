"""One Celery task per webhook."""

import json
import os
from datetime import UTC
from typing import Any

from celery import Celery
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from tests.bench.textbook.models import Event, Parcel, Session
from tests.bench.textbook.schema import PUSH
from tests.bench.textbook.status import STATUS

app = Celery("textbook", broker=os.environ["BROKER_URL"])
app.conf.update(task_ignore_result=True, task_acks_late=True, worker_prefetch_multiplier=4)


@app.task
def process_webhook(body: str) -> None:
    """Validates one webhook and brings its parcel up to date, in one transaction."""
    document = PUSH.load(json.loads(body))
    with Session.begin() as session:
        for complete in document["output"]["completeTrackResults"]:
            parcel = _find_or_make_parcel(session, complete["trackingNumber"])
            for result in complete["trackResults"]:
                for scan in result["scanEvents"]:
                    _add_scan(session, parcel, scan)


def _find_or_make_parcel(session: Any, number: str) -> Parcel:
    made = insert(Parcel).values(carrier="fedex", tracking_number=number).on_conflict_do_nothing()
    session.execute(made)
    return session.scalars(select(Parcel).where(Parcel.tracking_number == number).with_for_update()).one()


def _add_scan(session: Any, parcel: Parcel, scan: dict[str, Any]) -> None:
    key = f"{parcel.tracking_number}/{scan['eventType']}/{scan['date'].isoformat()}"
    if session.scalars(select(Event).where(Event.dedup_key == key)).first():
        return
    status = STATUS.get(scan["eventType"], "unknown")
    occurred_at = scan["date"].astimezone(UTC).replace(tzinfo=None)
    city = scan.get("scanLocation", {}).get("city")
    session.add(
        Event(
            parcel=parcel,
            dedup_key=key,
            status=status,
            description=scan["eventDescription"],
            city=city,
            occurred_at=occurred_at,
        )
    )
    if parcel.updated_at is None or occurred_at >= parcel.updated_at:
        parcel.status, parcel.updated_at = status, occurred_at
