"""A real report, as it leaves the process, holds no personal data and no secret."""

import json
import logging
from collections.abc import Iterator

import pytest
import sentry_sdk
from celery import Celery
from flask import Flask, request
from sentry_sdk.envelope import Envelope
from sentry_sdk.transport import Transport

from config.sentry import configure
from config.settings import load_settings
from shipments.errors import Unreadable

PERSONAL = [
    "Erika Beispiel",
    "Lindenstraße 12",
    "+49 221 5550100",
    "erika@example.org",
    "s3cr3t-header",
    "s3cr3t-cookie",
]
BODY = json.dumps({"to": PERSONAL}, ensure_ascii=False)


class Caught(Transport):
    """Keeps what would be sent."""

    sent: list[str]

    def __init__(self) -> None:
        super().__init__()
        self.sent = []

    def capture_envelope(self, envelope: Envelope) -> None:
        self.sent.append(envelope.serialize().decode())


@pytest.fixture
def caught() -> Iterator[Caught]:
    transport = Caught()
    settings = load_settings({"SENTRY_DSN": "http://key@127.0.0.1:1/1"})
    configure(settings, transport)
    yield transport
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)


def stumble(body: str) -> None:
    to = json.loads(body)["to"]
    logging.getLogger("app").warning("before %s", to)
    logging.getLogger("workers").error("about %s", to, extra={"parcel": "1Z999", "body": body})
    try:
        raise KeyError(to[0])
    except KeyError as cause:
        raise ValueError(f"cannot read {to}") from cause


def told(caught: Caught, kind: str) -> str:
    reports = [r for r in caught.sent if f'"{kind}"' in r]
    assert reports, "the error was not reported at all"
    everything = "".join(caught.sent)
    plain = everything + everything.encode().decode("unicode_escape", "replace")
    assert [word for word in PERSONAL if word in plain] == []
    return reports[0]


@pytest.mark.requirement("M96", "B7")
def test_a_report_from_a_request_holds_no_personal_data(caught: Caught) -> None:
    app = Flask("milepost")

    @app.post("/in/<carrier>")
    def take_in(carrier: str) -> str:
        stumble(request.get_data().decode())
        return carrier

    client = app.test_client()
    client.set_cookie("session", "s3cr3t-cookie")
    headers = {"X-Signature": "s3cr3t-header", "Authorization": "Bearer s3cr3t-header"}
    response = client.post("/in/ups?mail=erika@example.org", data=BODY, headers=headers)
    assert response.status_code == 500
    report = told(caught, "ValueError")
    assert "stumble" in report
    assert "take_in" in report


@pytest.mark.requirement("M96", "B7")
def test_a_report_from_a_task_holds_no_personal_data(caught: Caught) -> None:
    worker = Celery("worker", broker="memory://")
    worker.conf.update(task_always_eager=True, task_eager_propagates=False)
    task = worker.task(name="stumble")(stumble)
    task.delay(BODY)
    assert "stumble" in told(caught, "ValueError")


def test_a_report_keeps_the_parcel_and_our_own_sentence(caught: Caught) -> None:
    try:
        raise Unreadable("the body is empty")
    except Unreadable:
        logging.getLogger("workers").exception("parked", extra={"parcel": "1Z999"})
    report = told(caught, "Unreadable")
    assert "the body is empty" in report
    assert "1Z999" in report
