"""What a carrier experiences at the door."""

import gzip
import json
import logging
from collections.abc import Callable
from functools import partial
from io import BytesIO
from uuid import UUID

import pytest
from flask import Flask
from werkzeug.test import EnvironBuilder, run_wsgi_app

from app.receiver.body import read_body
from config.settings import load_settings
from shipments.store.seal import Seal
from tests.app.conftest import BODY, KEY, Door

SEAL = Seal(load_settings({"MILEPOST_SECRET_KEY": KEY}).secret_key)
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def reason(response) -> str:
    assert response.content_type == "application/problem+json"
    assert response.json["status"] == response.status_code
    return response.json["reason"]


@pytest.mark.requirement("X7", "M76")
@pytest.mark.requirement("M31", "B1")
def test_a_proven_message_is_accepted_and_can_be_opened_again(door: Door) -> None:
    response = door.post(x_acme_topic="scan", x_other="not kept", content_type="application/json")
    assert response.status_code == 202
    (entry,) = door.entries()
    assert entry[b"id"].decode() == response.json["id"]
    body, headers = SEAL.open(UUID(response.json["id"]), entry[b"sealed"])
    assert body == BODY
    assert headers == {"content-type": "application/json", "x-acme-topic": "scan"} | door.prove()


@pytest.mark.requirement("M31")
def test_a_carrier_that_waits_for_204_hears_it_without_a_body_and_its_message_is_kept(
    open_door: Callable[..., Door],
) -> None:
    door = open_door(accepted_status=204, greet=None)
    for response in (door.post(), door.client.head("/in/acme"), door.client.get("/in/acme")):
        assert (response.status_code, response.data) == (204, b"")
        assert "Content-Type" not in response.headers
    assert len(door.entries()) == 1


@pytest.mark.requirement("M31")
def test_a_carrier_without_a_handshake_hears_the_usual_answers(open_door: Callable[..., Door]) -> None:
    door = open_door(greet=None)
    assert door.post().status_code == 202
    assert [door.client.get("/in/acme").status_code, door.client.head("/in/acme").status_code] == [200, 200]
    assert len(door.entries()) == 1


def test_nothing_of_the_message_stands_in_the_stream_in_the_clear(door: Door) -> None:
    door.post()
    (entry,) = door.entries()
    kept = b"".join(entry.values())
    assert b"MP-1001" not in kept
    assert door.prove()["x-acme-signature"].encode() not in kept


def test_an_id_is_a_uuid_of_version_seven(door: Door) -> None:
    assert UUID(door.post().json["id"]).version == 7


@pytest.mark.requirement("M43")
def test_the_bytes_are_proven_not_what_they_mean(door: Door) -> None:
    written_anew = json.dumps(json.loads(BODY)).encode()
    response = door.client.post("/in/acme", data=written_anew, headers=door.prove(BODY))
    assert (response.status_code, reason(response)) == (401, "signature-mismatch")
    assert door.entries() == []
    assert door.woken == []


@pytest.mark.requirement("M43")
def test_a_message_without_proof_is_refused_and_kept_nowhere(door: Door) -> None:
    response = door.client.post("/in/acme", data=BODY)
    assert (response.status_code, reason(response)) == (401, "signature-missing")
    assert door.entries() == []


@pytest.mark.requirement("M92")
def test_while_a_secret_is_rotated_no_message_is_refused(door: Door) -> None:
    for secret in ("old-secret", "new-secret"):
        assert door.client.post("/in/acme", data=BODY, headers=door.prove(secret=secret)).status_code == 202
    assert door.client.post("/in/acme", data=BODY, headers=door.prove(secret="older")).status_code == 401


def test_a_carrier_without_a_secret_is_refused_and_operations_hear_of_it_once(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        responses = [door.client.post("/in/mute", data=BODY, headers=door.prove()) for _ in range(3)]
    assert {(r.status_code, reason(r)) for r in responses} == {(401, "no-secret")}
    assert [r.getMessage() for r in caplog.records] == ["messages are refused because CARRIER_MUTE_SECRETS is not set"]


def test_an_account_has_its_own_secret(door: Door) -> None:
    assert door.client.post("/in/acme/eu", data=BODY, headers=door.prove(secret="eu-secret")).status_code == 202
    assert door.entries()[0][b"account"] == b"eu"
    assert door.client.post("/in/acme/eu", data=BODY, headers=door.prove()).status_code == 401


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/in/nobody", "unknown-carrier"),
        ("/in/ACME", "unknown-carrier"),
        ("/in/acme/us", "unknown-account"),
        ("/in/acme/e.u", "unknown-account"),
        ("/in/acme/" + "a" * 41, "unknown-account"),
        ("/in/", "not-found"),
        ("/elsewhere", "not-found"),
    ],
)
def test_an_address_nobody_set_up_is_not_found(door: Door, path: str, expected: str) -> None:
    response = door.post(path=path)
    assert (response.status_code, reason(response)) == (404, expected)


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "Image/png", "audio/mpeg", "video/mp4"])
def test_what_can_be_no_message_is_an_unsupported_type(door: Door, kind: str) -> None:
    assert reason(door.post(content_type=kind)) == "unsupported-type"


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/edi-x12", "x"])
def test_a_content_type_that_may_lie_is_let_in(door: Door, kind: str) -> None:
    assert door.post(content_type=kind).status_code == 202


def test_a_compressed_message_is_kept_as_it_came(door: Door) -> None:
    body = gzip.compress(BODY)
    response = door.post(body, content_encoding="gzip")
    assert response.status_code == 202
    opened, headers = SEAL.open(UUID(response.json["id"]), door.entries()[0][b"sealed"])
    assert (opened, headers["content-encoding"]) == (body, "gzip")
    assert reason(door.post(content_encoding="br")) == "unsupported-encoding"


def test_an_empty_body_is_unprocessable_but_only_for_the_carrier_itself(door: Door) -> None:
    response = door.post(b"")
    assert (response.status_code, reason(response)) == (422, "empty")
    assert door.client.post("/in/acme").status_code == 401


def test_a_body_at_the_limit_is_taken_and_one_byte_more_is_too_large(door: Door) -> None:
    assert door.post(b"x" * 1000).status_code == 202
    response = door.post(b"x" * 1001)
    assert (response.status_code, reason(response)) == (413, "too-large")


def test_a_chunked_body_is_read_and_limited_like_any_other() -> None:
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    assert read_body(chunked | {"wsgi.input": BytesIO(b"x" * 10)}, 10) == b"x" * 10
    stream = BytesIO(b"x" * 50)
    with pytest.raises(Exception, match="At most 10 bytes"):
        read_body(chunked | {"wsgi.input": stream}, 10)
    assert stream.read() == b"", "what is left unread makes the sender see a reset connection"


def test_a_body_that_was_cut_off_is_not_taken_for_the_message(door: Door) -> None:
    environ = {"CONTENT_LENGTH": "20", "wsgi.input": BytesIO(b"x" * 10)}
    with pytest.raises(Exception, match="Fewer bytes arrived"):
        read_body(environ, 100)


def test_get_and_head_are_answered_without_proof_and_keep_nothing(door: Door) -> None:
    assert door.client.get("/in/acme").status_code == 200
    assert door.client.head("/in/acme").status_code == 200
    assert door.client.get("/in/acme?challenge=abc").data == b"abc"
    assert door.client.get("/in/nobody").status_code == 404
    assert door.entries() == []


def test_a_handshake_is_kept_before_it_is_answered(door: Door) -> None:
    response = door.post(path="/in/acme?challenge=abc")
    assert (response.status_code, response.data) == (200, b"abc")
    assert len(door.entries()) == 1


def test_a_carrier_that_counts_only_200_as_received_hears_200(open_door: Callable[..., Door]) -> None:
    assert open_door(accepted_status=200).post().status_code == 200


@pytest.mark.requirement("M121")
def test_the_senders_trace_becomes_the_correlation_id(door: Door) -> None:
    door.post(traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")
    assert door.entries()[0][b"trace"].decode() == TRACE


@pytest.mark.parametrize(
    "claimed",
    [
        "",
        "x",
        f"ff-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-00f067aa0ba902b7-01",
        f"00-{TRACE}-00f067aa0ba902b7-01-more",
    ],
)
def test_an_invalid_trace_is_replaced(door: Door, claimed: str) -> None:
    assert door.post(traceparent=claimed).status_code == 202
    trace = door.entries()[0][b"trace"].decode()
    assert trace != TRACE
    assert len(trace) == 32
    assert int(trace, 16)


def test_workers_are_woken_by_the_first_message_and_every_two_hundredth(door: Door) -> None:
    for _ in range(401):
        door.post()
    assert door.woken == ["live", "live", "live"]


def test_no_answer_repeats_what_was_sent(door: Door) -> None:
    answers = [
        door.post(),
        door.client.post("/in/acme", data=BODY, headers={"x-acme-signature": "new-secret"}),
        door.client.post("/in/acme", data=BODY, headers={"x-acme-signature": "§" * 10}),
        door.post(path="/in/nobody-MP-1001"),
        door.client.put("/in/acme", data=BODY),
    ]
    told = b"".join(a.data for a in answers) + "".join(str(a.headers) for a in answers).encode()
    assert not any(
        word in told for word in (b"new-secret", b"MP-1001", b"place", door.prove()["x-acme-signature"].encode())
    )


def test_another_method_is_a_problem_that_names_the_right_ones(door: Door) -> None:
    response = door.client.put("/in/acme")
    assert (response.status_code, reason(response)) == (405, "method-not-allowed")
    assert "POST" in response.headers["Allow"]


def test_a_webhook_led_straight_to_its_view_hears_what_flasks_own_dispatch_says(door: Door) -> None:
    app = door.client.application
    for path, headers in (("/in/acme", {}), ("/in/no", door.prove()), ("/in/acme/no", door.prove())):
        asked = EnvironBuilder(path, method="POST", data=BODY, headers=headers)
        ways = (app.wsgi_app, partial(Flask.wsgi_app, app))
        straight, flasks = (run_wsgi_app(way, asked.get_environ()) for way in ways)
        assert straight[1] == flasks[1]
        assert b"".join(straight[0]) == b"".join(flasks[0])
        assert set(flasks[2]) < set(straight[2]), "the security headers come on top"


def test_a_fault_of_ours_is_a_problem_too(open_door: Callable[..., Door]) -> None:
    def stumble(request: object) -> None:
        raise ZeroDivisionError("MP-1001")

    response = open_door(greet=stumble).post()
    assert (response.status_code, reason(response)) == (500, "internal-server-error")
    assert b"MP-1001" not in response.data


def test_every_answer_carries_the_security_headers(door: Door) -> None:
    for response in (door.post(), door.client.get("/livez"), door.client.get("/nowhere")):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in response.headers["Content-Security-Policy"]
