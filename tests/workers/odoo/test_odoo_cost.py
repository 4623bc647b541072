"""What Milepost cost Odoo: measured at the client, kept in the store, printed."""

from datetime import UTC, date, datetime

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from config.running import running_settings
from config.settings import get_settings
from shipments.store.costs import Cost, Spent, add_costs, count_events, find_costs
from shipments.store.database import make_engine
from workers.odoo.account import report, sparkline
from workers.odoo.client import Call, Odoo
from workers.odoo.commands import odoo as command
from workers.odoo.cost import Meter

TODAY = "select cast(now() at time zone 'UTC' as date)"


@pytest.mark.requirement("M149", "X5")
def test_the_account_adds_up_what_calls_to_odoo_took(odoo: Odoo, engine: Engine) -> None:
    meter = Meter()
    odoo.on_done = meter.note
    odoo.call("res.partner", "create", vals_list=[{"name": "A"}, {"name": "B"}])
    odoo.call("res.partner", "search_read", domain=[], fields=["name"], limit=1)
    odoo.call("res.partner", "search_read", domain=[], fields=["name"], limit=1)
    meter.post(engine)
    meter.post(engine)
    with engine.connect() as connection:
        found = {(s.purpose, s.model, s.method): s.cost for s in find_costs(connection, 1)}
    created, read = (found["command", "res.partner", method] for method in ("create", "search_read"))
    assert (created.calls, created.rows) == (1, 2)
    assert (read.calls, read.rows, read.failures) == (2, 2, 0)
    assert created.sent_bytes > len('{"name": "A"}')
    assert read.received_bytes > len('[{"id": 1, "name": "A"}]')
    assert created.seconds > 0


@pytest.mark.requirement("M149")
def test_a_call_that_failed_is_counted_with_what_it_took(engine: Engine) -> None:
    meter = Meter()
    meter.note(Call("stock.picking", "load", "away", 30.0, 300, 9000, 0))
    meter.post(engine)
    with engine.connect() as connection:
        (spent,) = find_costs(connection, 1)
    assert spent.cost == Cost(1, 1, 300, 9000, 0, 30.0)


def test_what_cannot_be_posted_is_posted_later(engine: Engine) -> None:
    meter = Meter()
    meter.note(Call("stock.picking", "load", "done", 1.0, 1, 1, 1))
    nowhere = make_engine("postgresql://nobody@127.0.0.1:1/none")
    meter.post(nowhere)
    assert meter
    meter.post(engine)
    assert not meter


@pytest.mark.requirement("M149")
def test_events_are_counted_by_the_day_their_messages_arrived(engine: Engine) -> None:
    insert = text("""
        insert into messages (id, carrier, lane, received_at, trace, sealed, state, events)
        values (:id, 'testing', 'live', now(), '', '', 'done', :events)
    """)
    noon = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp() * 1000)
    with engine.begin() as connection:
        for place, (milliseconds, events) in enumerate([(noon, 2), (noon, 3), (noon - 86_400_000, 7)]):
            connection.execute(insert, {"id": f"{milliseconds:012x}70008000{place:012x}", "events": events})
        days = [date(2026, 11, day) for day in (23, 24, 25)]
        assert list(count_events(connection, days).values()) == [7, 5, 0]


@pytest.mark.requirement("M149", "X5")
def test_the_report_says_the_calls_for_a_thousand_events_and_what_took_longest_first() -> None:
    days = [date(2026, 11, 23), date(2026, 11, 24)]
    spent = [
        Spent(days[0], "correlate", "stock.picking", "search_read", Cost(30, 1, 60, 1000, 2000, 3.0)),
        Spent(days[1], "act", "stock.picking", "load", Cost(10, 0, 900, 90_000, 1000, 9.0)),
    ]
    lines = report(spent, {days[1]: 1000})
    text = "\n".join(lines)
    assert lines[1].split() == ["2026-11-23", "30", "1", "60", "3", "3.0", "0", "-"]
    assert lines[2].split() == ["2026-11-24", "10", "0", "900", "91", "9.0", "1000", "10.0"]
    assert text.index("stock.picking.load") < text.index("stock.picking.search_read")
    assert "█▃" in text


def test_a_sparkline_has_a_bar_for_each_value() -> None:
    assert sparkline([0, 50, 100]) == "▁▅█"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""


@pytest.mark.requirement("M149")
def test_the_command_prints_the_account_of_the_store(
    engine: Engine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILEPOST_DATABASE_URL", database_url)
    for cached in (get_settings, running_settings):
        cached.cache_clear()
    try:
        assert "not called" in CliRunner().invoke(command, ["cost"]).output
        with engine.begin() as connection:
            add_costs(connection, {("act", "stock.picking", "load"): Cost(4, 0, 40, 4, 4, 1.0)})
            add_costs(connection, {("act", "stock.picking", "load"): Cost(4, 0, 40, 4, 4, 1.0)})
            today = connection.execute(text(TODAY)).scalar_one()
        result = CliRunner().invoke(command, ["cost", "--days", "2"])
    finally:
        for cached in (get_settings, running_settings):
            cached.cache_clear()
    assert result.exit_code == 0, result.output
    assert f"{today:%Y-%m-%d}      8" in result.output
