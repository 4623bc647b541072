"""The task reconcile: a night that is interrupted goes on later, and Odoo is left alone while it is slow or away."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from shipments.errors import OdooAway, OdooRefused
from shipments.store.marks import ODOO_PACE, save_mark
from shipments.store.reports import Report, find_report, save_report
from workers.odoo.client import OdooLockedOut
from workers.odoo.pace import Pace
from workers.odoo.reconcile import Run
from workers.tasks import reconcile as stage

PAGES = 3


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the task left Odoo alone each time, in seconds; it does not really wait."""
    rests: list[float] = []
    monkeypatch.setattr(stage, "give_way", lambda engine, seconds: rests.append(seconds))
    return rests


@pytest.fixture
def night(monkeypatch: pytest.MonkeyPatch, engine: Engine, rests: list[float]) -> Callable[..., dict[str, Any]]:
    """One run of the task; `fault` is raised at the second page."""

    def night(fault: Exception | None = None) -> dict[str, Any]:
        def page(_engine: Engine, _odoo: object, _policy: object, run: Run) -> None:
            if fault and run.deliveries:
                raise fault
            run.deliveries += 1
            run.ended = run.deliveries == PAGES

        monkeypatch.setattr(stage, "reconcile_page", page)
        return stage.reconcile()

    pace = Pace(1.0)
    monkeypatch.setattr(stage, "engine", lambda: engine)
    monkeypatch.setattr(stage, "odoo", lambda: None)
    monkeypatch.setattr(stage, "policy", lambda: None)
    monkeypatch.setattr(stage, "pace", lambda: pace)
    monkeypatch.setattr(stage, "ledger", lambda: SimpleNamespace(post=lambda: None))
    monkeypatch.setattr(stage, "get_settings", lambda: SimpleNamespace(odoo_url="http://odoo", reconcile_hour=0))
    return night


def last(engine: Engine) -> Report:
    with engine.connect() as connection:
        report = find_report(connection, nightly=True)
    assert report
    return report


@pytest.mark.requirement("M137")
@pytest.mark.parametrize("fault", [OdooAway("away"), OdooLockedOut("the key has ended")], ids=["away", "locked out"])
def test_a_night_that_odoo_interrupts_goes_on_where_it_stood(
    night: Callable[..., dict[str, Any]], engine: Engine, fault: Exception
) -> None:
    night(fault)
    assert (last(engine).ended_at, last(engine).report["deliveries"]) == (None, 1)
    assert "Odoo is away" in night()["skipped"]
    with engine.begin() as connection:
        connection.execute(text("delete from marks"))
    assert night()["deliveries"] == PAGES
    assert last(engine).ended_at
    assert "compared already" in night()["skipped"]


@pytest.mark.requirement("M137")
def test_a_comparison_that_odoo_refuses_ends_and_the_report_says_why(
    night: Callable[..., dict[str, Any]], engine: Engine
) -> None:
    night(OdooRefused("Odoo says no: a bad value"))
    assert last(engine).ended_at
    assert last(engine).report["fault"] == "Odoo says no: a bad value"


@pytest.mark.requirement("M85")
def test_odoo_is_left_alone_for_longer_while_it_is_slow(
    night: Callable[..., dict[str, Any]], engine: Engine, rests: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(1000))
    monkeypatch.setattr(
        stage, "time", SimpleNamespace(monotonic=lambda: next(ticks) / 10)
    )  # a page takes a tenth of a second
    night()
    quick = list(rests)
    rests.clear()
    with engine.begin() as connection:
        connection.execute(text("delete from reports"))
        save_mark(connection, ODOO_PACE, {"level": 3})
    night()
    assert quick == pytest.approx([0.1] * (PAGES - 1))
    assert rests == pytest.approx([0.7] * (PAGES - 1))


@pytest.mark.requirement("M137")
def test_the_night_compares_once_and_goes_on_where_it_was_interrupted(engine: Engine) -> None:
    with engine.begin() as connection:
        first = stage.find_or_start_night(connection, 0)
        assert stage.find_or_start_night(connection, 0).id == first.id
        save_report(connection, first.id, first.report, ended=True)
        assert stage.find_or_start_night(connection, 0) is None
        connection.execute(text("update reports set began_at = began_at - interval '1 day'"))
        assert stage.find_or_start_night(connection, 0).id > first.id
