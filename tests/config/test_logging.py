"""What stands in a log line, and what never does."""

import json
import logging
from collections.abc import Iterator

import pytest

from config.logging import JsonLine, configure, info_each
from config.settings import load_settings
from shipments.errors import Unreadable

ADDRESS = "Lindenstraße 12, Köln"


def line(logger: str = "app.receiver", **changes: object) -> dict:
    record = logging.LogRecord(logger, logging.WARNING, "x.py", 1, "kept %s", ("one",), None)
    record.__dict__.update(changes)
    return json.loads(JsonLine("web").format(record))


def raised(exception: Exception) -> tuple:
    try:
        raise exception
    except type(exception) as fault:
        return type(fault), fault, fault.__traceback__


@pytest.fixture
def configured() -> Iterator[None]:
    """The test may configure logging; what was there comes back."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.requirement("M121")
def test_a_line_is_json_with_the_ids_that_lead_on() -> None:
    told = line(message_id="an-id", parcel="1Z", shipment=7, carrier="ups", stage="receive", trace="abc", fault="Away")
    assert told["message"] == "kept one"
    assert (told["level"], told["process"], told["logger"]) == ("WARNING", "web", "app.receiver")
    assert {told[n] for n in ("message_id", "parcel", "shipment", "carrier", "stage", "trace", "fault")} == {
        "an-id", "1Z", "7", "ups", "receive", "abc", "Away",
    }  # fmt: skip


@pytest.mark.requirement("M121", "M96")
@pytest.mark.usefixtures("configured")
def test_lines_that_are_written_together_say_what_each_would_say_alone(capsys: pytest.CaptureFixture[str]) -> None:
    log = logging.getLogger("workers.ingest")
    extras = [{"message_id": f"{n}", "parcel": ["1Z", n], "trace": "abc", "body": ADDRESS} for n in range(3)]
    configure(load_settings({}), "worker")
    for extra in extras:
        log.info("ingested", extra=extra)
    alone = [json.loads(told) for told in capsys.readouterr().err.splitlines()]
    info_each(log, "ingested", extras)
    together = [json.loads(told) for told in capsys.readouterr().err.splitlines()]
    assert [told | {"time": ""} for told in together] == [told | {"time": ""} for told in alone]
    assert all(len(told["time"]) == len(alone[0]["time"]) for told in together)
    configure(load_settings({"MILEPOST_LOG_LEVEL": "WARNING"}), "worker")
    info_each(log, "ingested", extras)
    assert capsys.readouterr().err == ""


def test_where_somebody_else_listens_too_each_line_is_a_record(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        info_each(logging.getLogger("workers.ingest"), "ingested", [{"parcel": "1"}, {"parcel": "2"}])
    assert [record.parcel for record in caplog.records] == ["1", "2"]


@pytest.mark.requirement("M96")
def test_what_is_not_on_the_list_is_left_out() -> None:
    assert ADDRESS not in json.dumps(line(body=ADDRESS, headers={"a": ADDRESS}), ensure_ascii=False)


@pytest.mark.requirement("M96")
def test_an_exception_is_told_by_its_kind_and_place_without_its_text() -> None:
    told = line(exc_info=raised(ValueError(f"bad address {ADDRESS}")))
    assert told["exception"]["type"] == "ValueError"
    assert "raised" in told["exception"]["frames"][0]
    assert ADDRESS not in json.dumps(told, ensure_ascii=False)


def test_an_exception_of_ours_keeps_its_sentence() -> None:
    assert line(exc_info=raised(Unreadable("the body is empty")))["exception"]["text"] == "the body is empty"


@pytest.mark.requirement("M96")
def test_others_do_not_quote_an_exception_in_their_message() -> None:
    args = {"name": "ingest", "id": "7", "description": "raised unexpected", "exc": ADDRESS, "args": ADDRESS}
    template = "Task %(name)s[%(id)s] %(description)s: %(exc)s %(args)s"
    told = line("celery.app.trace", msg=template, args=args, exc_info=raised(ValueError(ADDRESS)))
    assert told["message"] == "Task ingest[7] raised unexpected: ValueError ..."
    assert ADDRESS not in json.dumps(told, ensure_ascii=False)
    assert line("celery.app.trace", msg=template, args=args)["message"].endswith("an exception ...")


@pytest.mark.requirement("M96")
def test_others_fill_a_message_that_comes_with_an_exception_with_types_and_numbers_only() -> None:
    fault = raised(ValueError(ADDRESS))
    told = line("kombu", msg="Error: %r, %r tried %d times", args=(fault[1], ADDRESS, 3), exc_info=fault)
    assert told["message"] == "Error: ValueError, ... tried 3 times"


def test_a_line_whose_arguments_do_not_fit_is_still_written() -> None:
    assert line(msg="%d", args=("x",))["message"] == "%d"


@pytest.mark.usefixtures("configured")
def test_configuring_replaces_what_was_there(capsys: pytest.CaptureFixture[str]) -> None:
    configure(load_settings({"MILEPOST_LOG_LEVEL": "WARNING"}), "worker")
    logging.getLogger("app").info("too quiet")
    logging.getLogger("app").warning("loud")
    (written,) = capsys.readouterr().err.splitlines()
    assert json.loads(written)["message"] == "loud"
