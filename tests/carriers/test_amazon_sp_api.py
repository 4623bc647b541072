"""Amazon: a milestone told twice in one notification, and ids that are of the message."""

from typing import Any

from carriers.amazon_sp_api import CARRIER
from tests.carriers.own_samples import read

CASE = "push_delivered_history"


def detail(body: Any) -> Any:
    return body["payload"]["shipmentTrackingMilestoneChangedNotification"]["trackingDetail"]


def test_the_latest_milestone_repeats_the_history_and_is_told_once() -> None:
    codes = [event.code for event in read(CARRIER, CASE).events]
    assert (codes.count("DELIVERED"), len(codes)) == (1, 5)


def test_the_latest_milestone_counts_where_the_history_lacks_it() -> None:
    events = read(CARRIER, CASE, lambda body: detail(body)["milestoneHistory"].pop(0)).events
    assert [event.code for event in events].count("DELIVERED") == 1
    alone = read(CARRIER, CASE, lambda body: detail(body).pop("milestoneHistory")).events
    assert [event.code for event in alone] == ["DELIVERED"]


def test_the_id_of_the_message_is_not_that_of_an_event() -> None:
    def repeat(body: Any) -> None:
        body["notificationMetadata"]["notificationId"] = "another"
        body["notificationMetadata"]["publishTime"] = "2026-03-04T13:00:01.000Z"

    first, again = read(CARRIER, CASE).events, read(CARRIER, CASE, repeat).events
    assert [event.key for event in first] == [event.key for event in again]
    assert {event.provider_event_id for event in first} == {None}
