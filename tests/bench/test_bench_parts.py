"""The bench measures what it says: its webhooks are real, its lines are honest, its page keeps what was measured."""

import socket
import threading

import pytest

from carriers import find_carrier
from carriers.base import Message
from carriers.registry import folder_names
from shipments.clock import now
from shipments.milestone import Milestone
from tests.bench import page, parsing, sizing_page
from tests.bench.costs import Costs
from tests.bench.doors import undisturbed
from tests.bench.figures import Figure, Report
from tests.bench.histories import longest, moved, single_messages
from tests.bench.load import Load, is_whole, run_load
from tests.bench.parsing import HISTORY
from tests.bench.posts import CARRIER, bodies, made_up_numbers, requests
from tests.bench.probe import Waits
from tests.bench.size import Size
from tests.bench.sizing import DAY_SECONDS, PEAK, RETENTION_DAYS, UTILIZATION, calls_per_thousand, limits, need
from tests.bench.textbook.schema import PUSH
from tests.bench.textbook.status import STATUS
from tests.bench.trivial import serve
from tests.bench.usage import Usage, bytes_per_event, cpu_per_event, idle_cores
from tests.fakes.carriers import SECRETS, USUAL


def test_every_webhook_means_one_event_of_its_parcel():
    carrier = find_carrier(CARRIER)
    numbers = made_up_numbers(3, "T")
    events = [event for body in bodies(numbers) for event in carrier.parse(Message(body)).events]
    assert len(events) == 18
    assert len({event.key for event in events}) == 18
    assert {event.milestone for event in events} == {Milestone(name) for name in USUAL}


def test_a_request_carries_the_proof_of_its_body():
    (request,) = requests(bodies(["T1"], ["delivered"]))
    head, _, body = request.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
    find_carrier(CARRIER).proof.verify(headers, body, [SECRETS[CARRIER]], now())
    assert int(headers["content-length"]) == len(body)
    assert 1000 < len(body) < 3000


def test_the_textbook_design_understands_the_same_webhooks():
    codes = []
    for body in bodies(["T1"]):
        (complete,) = PUSH.loads(body)["output"]["completeTrackResults"]
        codes += [scan["eventType"] for scan in complete["trackResults"][0]["scanEvents"]]
    assert {STATUS[code] for code in codes} == set(USUAL)


def test_the_load_generator_posts_each_request_once_and_counts_what_is_accepted():
    made = list(requests(bodies(made_up_numbers(5, "T"))))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        load = run_load(listener.getsockname()[1], made)
    assert (load.accepted, load.refused) == (30, 0)
    assert load.p99 > 0


def told(stolen: float, p99: float) -> Load:
    return Load(accepted=1, refused=0, seconds=1, p99=p99, began=0, stolen=stolen)


def test_rounds_in_which_the_host_took_the_machine_are_done_again():
    coming = iter([told(0.2, 9), told(0, 1), told(0.01, 2), told(0.02, 8), told(0, 3), told(0, 7)])
    loads, again = undisturbed(lambda: next(coming), 3)
    assert ({load.p99 for load in loads}, again) == ({1, 2, 3}, 2)


def test_where_the_host_gives_no_peace_the_rounds_count_in_which_it_took_least():
    coming = iter([told(0.3, 9), told(0.5, 8), told(0.1, 1), told(0.2, 2), told(0.9, 7), told(0.4, 6)])
    loads, again = undisturbed(lambda: next(coming), 2)
    assert ([load.p99 for load in loads], again) == ([1, 2], 4)


def test_an_answer_is_whole_when_its_announced_bytes_are_there():
    assert is_whole(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")
    assert not is_whole(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{")
    assert not is_whole(b"HTTP/1.1 202 Accepted\r\nContent-Le")


@pytest.mark.parametrize("name", folder_names())
def test_every_parser_is_measured_with_messages_of_one_event_and_with_a_long_history(name):
    carrier = find_carrier(name)
    singles, shape = single_messages(carrier, 2), longest(carrier)
    assert singles
    assert [len(carrier.parse(message).events) for message in singles] == [1] * len(singles)
    assert shape, "no sample of this carrier can be lengthened"
    events = shape.events(carrier, HISTORY)
    assert 0.75 * HISTORY <= len(events) <= 1.34 * HISTORY, "the copies of an entry are not events of their own"


def test_a_parser_is_measured_from_body_to_keys_and_the_slowest_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(parsing, "folder_names", lambda: ["gls", "tnt"])
    monkeypatch.setattr(parsing, "collect_seldom", lambda: None)
    report = Report()
    parsing.parsing(report, Size(parsing_rounds=1))
    assert [figure.bar for figure in report.figures] == [10_000, 10_000, 30_000, 30_000]
    (chart,) = report.charts
    for panel, slowest, middle in zip(chart.panels, report.figures[::2], report.figures[1::2], strict=True):
        assert set(panel.values) == {"gls", "tnt"}
        assert slowest.value == min(panel.values.values()) < middle.value
        assert slowest.note.startswith(min(panel.values, key=panel.values.get))
    page.plot_chart(chart, tmp_path / "chart.png")
    assert (tmp_path / "chart.png").stat().st_size > 1000


def test_the_copies_of_an_entry_differ_in_their_times_however_they_are_written():
    for written in (
        "2026-03-01T10:00:00+02:00", "01.03.2026 10:00", "3/1/26 at 10:00 AM, 03/01/2026", "20260301T100000",
        '"20260301"', '"100000"', ">1000<", '"t":1772359200,', '"t":1772359200000}',
    ):  # fmt: skip
        copies = [moved(written, by) for by in (1, 70)]
        assert len({written, *copies}) == 3 or written == '"20260301"'
        assert {len(copy) for copy in copies} == {len(written)}
    assert moved("2026-03-01T10:00:00+02:00", 61) == "2026-03-02T10:01:00+02:00"


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        (Figure("ratio", 3.2, 3, "x", higher=True), "ratio: 3.20x (bar at least 3x) met"),
        (Figure("ratio", 2.9, 3, "x", higher=True), "ratio: 2.90x (bar at least 3x) short"),
        (Figure("p99", 25, 25, "ms"), "p99: 25 ms (bar at most 25 ms) met"),
        (Figure("lost", 1, 0), "lost: 1 (bar at most 0) short"),
        (Figure("rate", 1234.4, unit="/s"), "rate: 1,234 /s"),
    ],
)
def test_a_line_says_value_bar_and_verdict(figure, line):
    assert figure.line() == line


def test_one_short_figure_makes_the_whole_report_short():
    assert Report([Figure("a", 1), Figure("b", 1, 2)]).all_met
    assert not Report([Figure("b", 1, 2), Figure("c", 3, 2)]).all_met


def test_a_part_of_the_page_that_was_not_measured_stays(tmp_path, monkeypatch):
    monkeypatch.setattr(page, "DOCS", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "benchmarks.md")
    (tmp_path / "pictures").mkdir()
    page.write_page(
        Report([Figure("a ratio", 4, 3, "x", higher=True), Figure("Milepost", 9, unit="/s")]), "bench", short=False
    )
    page.write_page(Report([Figure("b calls", 4, 3)]), "odoo", short=True)
    page.write_page(Report([Figure("b calls", 2, 3)]), "odoo", short=True)
    written = (tmp_path / "benchmarks.md").read_text()
    assert "| a ratio | 4x | at least 3x | met |" in written
    assert "| b calls | 2 | at most 3 | met |" in written
    assert "| b calls | 4 |" not in written
    assert (tmp_path / "pictures" / "bench-bench.png").stat().st_size > 1000


def test_a_load_says_how_many_a_second():
    assert Load(accepted=30, refused=0, seconds=2, p99=0.1, began=0).per_second == 15


COSTS = Costs(
    idle={"web": 0.0, "act": 0.1, "valkey": 0.0, "flower": 0.0, "postgres": 0.0},
    cpu={"web": 0.001, "act": 0.0005, "valkey": 0.0001, "flower": 0.00005, "postgres": 0.0005},
    memory={"web": 100.0, "act": 150.0, "valkey": 10.0, "flower": 80.0, "postgres": 200.0},
    tables={"messages": 2000.0, "events": 500.0},
    log=6000.0,
    append_only=2500.0,
    calls_paced=20.0,
    calls_fast=10.0,
    rate=1100.0,
)


def test_cpu_of_an_event_leaves_out_what_a_process_takes_anyway():
    start = Usage(0, {"beat": 1.0, "web": 1.0}, {})
    rested = Usage(10, {"beat": 2.0, "web": 1.0}, {})
    idle = idle_cores(start, rested)
    assert idle == {"beat": 0.1, "web": 0.0}
    assert cpu_per_event(rested, Usage(30, {"beat": 3.5, "web": 5.0}, {}), 1000, idle) == {"beat": 0.0, "web": 0.004}


def test_disk_of_an_event_is_what_each_table_grew_by():
    assert bytes_per_event({"events": 8192}, {"events": 108_192, "messages": 200_000}, 100) == {
        "events": 1000,
        "messages": 2000,
    }


def test_a_wait_that_never_ended_is_longer_than_any():
    waits = Waits([0.3, 0.1, 0.2, 0.4] * 24, lost=4)
    assert waits.at(0.5) == 0.3
    assert waits.at(0.95) == 0.4
    assert waits.at(0.99) == float("inf")


@pytest.mark.requirement("M149")
def test_what_a_day_needs_is_its_peak_hour_at_the_wanted_utilization():
    day = need(COSTS, 86_400_000)
    assert (day.mean, day.peak) == (1000, 1000 * PEAK)
    assert day.cores["web"] == pytest.approx(0.001 * day.peak / UTILIZATION)
    assert day.cores["act"] == pytest.approx((0.1 + 0.0005 * day.peak) / UTILIZATION)
    assert day.processes == {"web": 4, "act": 1, "valkey": 1, "flower": 1, "postgres": 1}
    assert day.memory["web"] == 400
    assert day.disk == pytest.approx(86.4e6 * RETENTION_DAYS * 2500 / 1e9)
    assert day.odoo_calls == pytest.approx(86_400 * 10)


def test_calls_to_odoo_are_taken_from_the_rates_that_were_measured():
    assert [calls_per_thousand(COSTS, rate) for rate in (1, 100, 600, 1100, 9000)] == [20, 20, 15, 10, 10]


def test_the_lowest_limit_comes_first_and_odoo_is_one_only_where_it_was_measured():
    assert next(limit.part for limit in limits(COSTS, 500)) == "Odoo itself"
    found = limits(COSTS, None)
    assert [limit.rate for limit in found] == sorted(limit.rate for limit in found)
    writer = found[0]
    assert writer.rate == pytest.approx((UTILIZATION - 0.1) / 0.0005)
    assert writer.events_a_day == pytest.approx(writer.rate / PEAK * DAY_SECONDS)


def test_the_sizing_page_says_what_a_real_odoo_took_if_the_other_page_does(tmp_path, monkeypatch):
    monkeypatch.setattr(sizing_page, "DOCS", tmp_path)
    monkeypatch.setattr(sizing_page, "PAGE", tmp_path / "benchmarks.md")
    (tmp_path / "pictures").mkdir()
    sizing_page.write_sizing(COSTS, short=False)
    written = (tmp_path / "sizing.md").read_text()
    assert "not measured: `make bench-odoo`" in written
    assert "| cores, web | 0.08 (1) |" in written
    (tmp_path / "benchmarks.md").write_text("| into Odoo, Milepost | 82.9 shipments/s |  |  |\n")
    sizing_page.write_sizing(COSTS, short=False)
    written = (tmp_path / "sizing.md").read_text()
    assert "| one Odoo takes it | yes | yes | no, 2.3 times too many |" in written
    assert "| Odoo itself | 497/s |" in written
    assert (tmp_path / "pictures" / "sizing.png").stat().st_size > 1000
