"""The bench measures what it says: its webhooks are real, its lines are honest, its page keeps what was measured."""

import socket
import threading

import pytest

from carriers import find_carrier
from carriers.base import Message
from shipments.clock import now
from shipments.milestone import Milestone
from tests.bench import page
from tests.bench.figures import Figure, Report
from tests.bench.load import Load, is_whole, run_load
from tests.bench.posts import CARRIER, bodies, made_up_numbers, requests
from tests.bench.textbook.schema import PUSH
from tests.bench.textbook.status import STATUS
from tests.bench.trivial import serve
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


def test_an_answer_is_whole_when_its_announced_bytes_are_there():
    assert is_whole(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{}")
    assert not is_whole(b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\n{")
    assert not is_whole(b"HTTP/1.1 202 Accepted\r\nContent-Le")


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
    assert Load(accepted=30, refused=0, seconds=2, p99=0.1).per_second == 15
