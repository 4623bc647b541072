"""The allow-list of error reports."""

import sentry_sdk

from config.sentry import configure, scrub, scrub_crumb
from config.settings import load_settings
from shipments.errors import OdooRefused


def test_without_an_address_nothing_is_reported() -> None:
    configure(load_settings({}))
    assert not sentry_sdk.is_initialized()


def test_an_exception_of_ours_keeps_its_text_and_others_lose_theirs() -> None:
    ours = OdooRefused("give Milepost's user the right to write deliveries")
    ours.__cause__ = ValueError("Lindenstraße 12")
    told = [
        {"type": "ValueError", "module": None, "value": "Lindenstraße 12"},
        {"type": "OdooRefused", "module": "shipments.errors", "value": str(ours)},
    ]
    report = scrub({"exception": {"values": told}}, {"exc_info": (OdooRefused, ours, None)})
    assert [e.get("value") for e in report["exception"]["values"]] == [None, str(ours)]


def test_what_nobody_allowed_is_not_in_the_report() -> None:
    event = {
        "event_id": "1",
        "request": {"method": "POST", "data": "secret", "headers": {"a": "secret"}, "query_string": "secret"},
        "extra": {"carrier": "ups", "sys.argv": ["secret"], "body": "secret"},
        "tags": {"stage": "act", "other": "secret"},
        "user": {"ip_address": "secret"},
        "contexts": {"celery-job": {"task_name": "act", "args": ["secret"]}, "other": {"x": "secret"}},
        "logentry": {"message": "kept %s", "params": ["secret"], "formatted": "kept secret"},
        "logger": "app",
        "new-in-the-next-release": "secret",
    }
    report = scrub(event, {})
    assert "secret" not in str(report)
    assert report["extra"] == {"carrier": "ups"}
    assert report["logentry"] == {"message": "kept %s"}
    assert report["contexts"] == {"celery-job": {"task_name": "act"}}


def test_the_words_of_other_libraries_are_not_reported() -> None:
    report = scrub({"logger": "urllib3", "logentry": {"message": "GET /?token=secret"}}, {})
    assert report["logentry"] == {"message": "an error logged by urllib3"}


def test_what_happened_before_is_told_without_words() -> None:
    crumb = {"category": "app", "message": "secret", "data": {"url": "secret", "status_code": 503, "carrier": "ups"}}
    assert scrub_crumb(crumb, {}) == {"category": "app", "data": {"status_code": 503, "carrier": "ups"}}
