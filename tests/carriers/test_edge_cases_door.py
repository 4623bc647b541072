"""Traps of real carriers, 52 to 72: how webhooks are proven and answered, how carriers are asked, what stays private.

Each test is named by the number of its trap; see test_edge_cases.py for the others. Trap 65 (EDI trailers) has none:
no carrier here speaks EDIFACT or X12.
"""

import base64
import gzip
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest
import redis
from fakeredis import FakeRedis
from flask.testing import FlaskClient
from sqlalchemy import text

from app.factory import create_app
from app.receiver.keeper import Keeper
from carriers.base import Carrier, Message, Reading
from carriers.polling import Limit, Outcome, judge_by_status
from carriers.proof import AddressProof, AllOf, HmacProof, NotPushed, PathProof, nfkd_key, verify
from carriers.reading import LARGEST_BODY
from carriers.registry import all_carriers, find_carrier
from config.logging import JsonLine
from config.settings import load_settings
from shipments.clock import new_id, now
from shipments.errors import SignatureStale, Unreadable
from shipments.fold import fold
from shipments.milestone import Milestone
from shipments.rules.polling import Known, load_polling, plan
from shipments.store.database import make_engine
from shipments.store.intake import Intake
from shipments.store.polls import want
from shipments.store.seal import Seal
from tests.carriers import proving
from tests.carriers.test_edge_cases import (
    dhl,
    dhl_event,
    easypost,
    easypost_detail,
    fedex,
    fedex_scan,
    landmark,
    only,
    read,
    shippo,
    shippo_status,
    tnt,
    tnt_consignment,
    ups_alert,
)
from tests.shipments.telling import START, entries
from workers.poll.answer import Answer
from workers.poll.throttle import NoPlace, Throttle
from workers.poll.tokens import Tokens
from workers.resources import SHIPPED_POLLING
from workers.understand import decompress

KEY = "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
SEAL = Seal([("test", b"k" * 32)])
SECRET = "a-secret"
TABLE = load_polling(SHIPPED_POLLING, ["dhl_unified", "fedex", "ups"])
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
NAME, STREET, PHONE = "Wilhelmina Beispiel", "Lindenallee 12", "+49 151 0000017"
CONTACT = {"contact": {"personName": NAME, "phoneNumber": PHONE}, "address": {"streetLines": [STREET]}}


def carrier_of(name: str) -> Carrier:
    carrier = find_carrier(name)
    assert carrier is not None
    return carrier


def pushing() -> list[Carrier]:
    """Those that call us, of all there are."""
    return [carrier for carrier in all_carriers() if not isinstance(carrier.proof, NotPushed)]


@dataclass
class Door:
    """The receiver with real carriers behind it, and the stream it keeps messages in."""

    client: FlaskClient
    redis: FakeRedis

    def post(self, carrier: str, body: Any, **headers: str) -> Any:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        proof = carrier_of(carrier).proof.prove(raw, SECRET, now())
        return self.client.post(f"/in/{carrier}", data=raw, headers=proof | headers)

    def count(self) -> int:
        return int(self.redis.xlen("milepost:intake:live"))


@pytest.fixture
def door() -> Door:
    names = ("17track", "aftership", "dhl_unified", "easypost", "fedex", "sendcloud", "shopify", "ups", "usps")
    secrets = {f"CARRIER_{name.upper()}_SECRETS": SECRET for name in names}
    settings = load_settings({"MILEPOST_SECRET_KEY": KEY} | secrets)
    stream = FakeRedis()
    keeper = Keeper(Intake(stream), None, max_length=1000, wake=lambda lane: None)
    app = create_app(settings, keeper=keeper, carriers=[carrier_of(name) for name in names])
    return Door(app.test_client(), stream)


@pytest.fixture
def client(redis_url: str, clean: None) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as connected:
        yield connected


# ---- 7. receiving webhooks


@pytest.mark.requirement("M43")
@pytest.mark.parametrize("name", ["sendcloud", "easypost", "aftership", "shopify", "fedex"])
def test_trap_52_the_bytes_as_they_came_are_what_is_signed(door: Door, name: str) -> None:
    proof = carrier_of(name).proof
    body = b'{"action": "parcel_status_changed", "parcel": {"city": "K\\u00f6ln", "id": 7}}'
    written_anew = json.dumps(json.loads(body), ensure_ascii=False, separators=(",", ":")).encode()
    request = proving.sent(proof, body, SECRET)
    assert proving.is_let_in(proof, request, SECRET)
    assert not proving.is_let_in(proof, replace(request, body=written_anew), SECRET)
    refused = door.client.post(f"/in/{name}", data=written_anew, headers=proof.prove(body, SECRET, now()))
    assert (refused.status_code, door.count()) == (401, 0)


@pytest.mark.requirement("M43")
def test_trap_53_it_is_on_record_which_proofs_do_not_cover_the_body() -> None:
    weak = {carrier.name for carrier in pushing() if not carrier.proof.covers_body}
    assert {"dhl_unified", "ups", "usps"} <= weak
    assert not weak & {
        "17track",
        "aftership",
        "dcsa",
        "easypost",
        "fedex",
        "sendcloud",
        "shipengine",
        "shippo",
        "shopify",
    }
    assert all(carrier.proof.words for carrier in pushing())


@pytest.mark.requirement("M43")
def test_trap_53_a_weak_proof_can_be_joined_with_a_secret_path_and_networks() -> None:
    proof = AllOf((AddressProof(("192.0.2.0/24",)), PathProof(), carrier_of("ups").proof))
    request = proving.sent(proof, b"{}", SECRET)
    assert proving.is_let_in(proof, request, SECRET)
    for spoiled in (
        replace(request, address="198.51.100.7"),
        replace(request, word="guess"),
        replace(request, headers={}),
    ):
        assert not proving.is_let_in(proof, spoiled, SECRET)


@pytest.mark.requirement("M43")
def test_trap_54_the_key_is_made_of_the_secret_as_the_carrier_does() -> None:
    composed, decomposed = "s\u00e9cret", "se\u0301cret"
    easypost_proof = carrier_of("easypost").proof
    assert isinstance(easypost_proof, HmacProof)
    assert nfkd_key(composed) == nfkd_key(decomposed)
    assert easypost_proof.prove(b"{}", composed, now()) == easypost_proof.prove(b"{}", decomposed, now())
    assert easypost_proof.prove(b"{}", composed, now()) != replace(easypost_proof, key=str.encode).prove(
        b"{}", composed, now()
    )
    dcsa_proof = carrier_of("dcsa").proof
    assert isinstance(dcsa_proof, HmacProof)
    key = b"dcsa-subscription-secret-32bytes"
    secret = base64.b64encode(key).decode()
    assert dcsa_proof.prove(b"[]", secret, now()) == replace(dcsa_proof, key=lambda _: key).prove(b"[]", secret, now())


@pytest.mark.requirement("M92")
def test_trap_54_while_a_public_key_is_rotated_both_are_tried() -> None:
    proof = carrier_of("shipengine").proof
    for word in ("old-key", "new-key"):
        request = proving.sent(proof, b"{}", word)
        assert proving.is_let_in(proof, request, "old-key", "new-key")
        assert not proving.is_let_in(proof, request, "another-key")


@pytest.mark.requirement("M43")
def test_trap_55_a_signature_is_compared_as_bytes_in_each_documented_encoding() -> None:
    proof = carrier_of("fedex").proof
    body = json.dumps(fedex(fedex_scan("IT", "2026-03-02T10:00:00-06:00"))).encode()
    in_base64 = proof.prove(body, SECRET, now())["fdx-signature"]
    in_hex = base64.b64decode(in_base64).hex()
    for value in (in_base64, in_hex, in_hex.upper()):
        request = replace(proving.plain(body), headers={"fdx-signature": value})
        assert proving.is_let_in(proof, request, SECRET)
    for name, beginning in (("easypost", "hmac-sha256-hex="), ("dcsa", "sha256="), ("shippo", "t=")):
        request = proving.sent(carrier_of(name).proof, b"{}", SECRET)
        (value,) = request.headers.values()
        assert value.startswith(beginning)
        assert proving.is_let_in(carrier_of(name).proof, request, SECRET)


@pytest.mark.requirement("M43", "M45")
def test_trap_56_a_replay_is_refused_where_a_time_is_signed_and_harmless_everywhere() -> None:
    stale = proving.sent(carrier_of("shippo").proof, b"{}", SECRET, proving.NOW - timedelta(hours=1))
    with pytest.raises(SignatureStale):
        verify(carrier_of("shippo").proof, stale, [SECRET])
    with_time = {carrier.name for carrier in pushing() if carrier.proof.max_age}
    assert {"shippo", "shipengine"} <= with_time
    assert "usps" not in with_time  # its time is that of the news
    late = proving.sent(carrier_of("easypost").proof, b"{}", SECRET, proving.NOW - timedelta(days=9))
    assert proving.is_let_in(carrier_of("easypost").proof, late, SECRET)
    body = easypost(easypost_detail("picked_up", "2026-03-01T08:00:00Z"))
    assert [e.key for e in read("easypost", body).events] == [e.key for e in read("easypost", body).events]


@pytest.mark.requirement("M44", "B1")
@pytest.mark.parametrize("name", ["easypost", "shopify", "dhl_unified", "sendcloud", "17track"])
@pytest.mark.parametrize("body", [b"{", b'{"surprise": 1}', b"<html>", b"\xff\xfe\x00"])
def test_trap_57_what_is_proven_and_cannot_be_read_is_kept_and_accepted(door: Door, name: str, body: bytes) -> None:
    assert door.post(name, body).status_code in (200, 202)
    assert door.count() == 1
    with pytest.raises(Unreadable):
        read(name, body)


@pytest.mark.requirement("M31")
def test_trap_58_each_carrier_hears_what_it_counts_as_received(door: Door) -> None:
    envelope = json.dumps({"timestamp": "2026-03-02T18:20:00Z", "payload": "{}"}).encode()
    heard = {name: door.post(name, envelope).status_code for name in ("17track", "ups", "usps", "fedex", "easypost")}
    assert heard["17track"] == 200
    assert heard["fedex"] in (200, 202)
    assert all(200 <= status < 300 for status in heard.values())
    assert all(carrier.accepted_status in (200, 202, 204) for carrier in all_carriers())


@pytest.mark.requirement("M74", "M135")
def test_trap_59_a_pushed_parcel_that_has_gone_quiet_is_asked_about() -> None:
    pushed = Known(START, None, Milestone.IN_TRANSIT, START, START, START, pushed=True)
    pace = TABLE.pace(Milestone.IN_TRANSIT)
    assert plan(pushed, TABLE, START + timedelta(hours=1)).due_at == START + pace.silence
    assert plan(replace(pushed, pushed=False), TABLE, START).due_at == START + pace.ask_every


@pytest.mark.requirement("M135")
def test_trap_60_a_silence_is_not_taken_for_health() -> None:
    for milestone in (Milestone.LABEL_CREATED, Milestone.IN_TRANSIT, Milestone.OUT_FOR_DELIVERY):
        known = Known(START, None, milestone, START, START, START, pushed=True)
        due_at = plan(known, TABLE, START + timedelta(hours=1)).due_at
        assert due_at is not None
        assert due_at > START
    assert TABLE.pace(Milestone.OUT_FOR_DELIVERY).silence <= TABLE.pace(Milestone.LABEL_CREATED).silence


@pytest.mark.requirement("M31")
def test_trap_61_a_handshake_is_answered_200_and_does_nothing(door: Door) -> None:
    for name in ("dhl_unified", "ups", "easypost", "17track"):
        for method in (door.client.get, door.client.head):
            assert method(f"/in/{name}").status_code == 200
    assert door.count() == 0
    validate = {"scope": "subscription.validate", "secret": "s-1", "self": "https://api.example.com/subscription/sub-7"}
    assert door.post("dhl_unified", validate).status_code == 200
    reading = read("dhl_unified", validate)
    assert reading.needs_a_person
    assert "sub-7" in (reading.notice or "")


OTHER_NEWS = [
    ("easypost", {"id": "evt_9", "description": "batch.updated", "result": {"id": "batch_1", "object": "Batch"}}),
    ("sendcloud", {"action": "integration_connected", "integration": {"id": 3, "api_secret": "sk-1"}}),
    ("17track", {"event": "TRACKING_STOPPED", "data": {"number": "RR700000017CN", "carrier": 3011}}),
    ("shippo", {"event": "transaction_created", "data": {"object_id": "t1"}}),
]


@pytest.mark.requirement("M31")
@pytest.mark.parametrize(("name", "body"), OTHER_NEWS)
def test_trap_62_other_news_on_the_same_address_is_noted_and_tells_nothing(name: str, body: Any) -> None:
    reading = read(name, body)
    assert (reading.events, reading.faults) == ((), ())
    assert reading.notice
    assert "sk-1" not in reading.notice


@pytest.mark.requirement("M31")
def test_trap_62_other_news_is_answered_as_received(door: Door) -> None:
    for name, body in OTHER_NEWS[:3]:
        assert door.post(name, body).status_code in (200, 202)
    assert door.count() == 3


TESTS = [
    ("easypost", easypost(easypost_detail("picked_up", "2026-03-01T08:00:00Z"), mode="test")),
    ("shippo", shippo(None, shippo_status("a1", "2026-03-02T10:00:00Z")) | {"test": True}),
    (
        "shippo",
        shippo(None, shippo_status("a1", "2026-03-02T10:00:00Z"), carrier="shippo", tracking_number="SHIPPO_TRANSIT"),
    ),
    ("ups", ups_alert(trackingNumber="1ZCIETST0300000017")),
    (
        "landmark",
        landmark(("225", "2026-03-02 10:15:00", "Paris, FR")).replace("<Result>", "<Test>true</Test><Result>", 1),
    ),
    (
        "fedex",
        {
            "output": fedex(fedex_scan("IT", "2026-03-02T10:00:00-06:00"))["output"]
            | {"alerts": [{"code": "VIRTUAL.RESPONSE", "message": "A virtual response"}]}
        },
    ),
]


@pytest.mark.requirement("M94")
@pytest.mark.parametrize(("name", "body"), TESTS)
def test_trap_63_a_test_ping_is_known_as_one_and_moves_nothing(name: str, body: Any) -> None:
    events = read(name, body).events
    assert events
    assert all(event.is_test for event in events)
    assert fold(entries(*events)) == ()


@pytest.mark.requirement("M44")
def test_trap_64_the_content_decides_whatever_the_type_says() -> None:
    news = {"trackingNumber": "94001", "trackingEvents": [{"eventCode": "10", "eventTimestamp": "2026-03-02T18:15:00"}]}
    nested = {"subscriptionId": "s", "timestamp": "2026-03-02T18:20:00Z", "payload": json.dumps(news)}
    assert only(read("usps", nested)).code == "10"
    with_cdata = tnt(tnt_consignment("700000017", ("OD", "20260302", "1815"), words="Out <for> delivery & more"))
    assert only(read("tnt", with_cdata)).description == "Out <for> delivery & more"
    fault = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><s:Fault>'
        "<faultstring>Not authorized</faultstring></s:Fault></s:Body></s:Envelope>"
    )
    answered = read("purolator", fault)
    assert (answered.events, "Not authorized" in (answered.notice or "")) == ((), True)
    for name in ("seko", "fedex", "gls"):
        with pytest.raises(Unreadable):
            read(name, "<html><body>Service unavailable</body></html>")
    as_text = {"parcelNo": "7", "scans": [{"state": 3, "dateTime": "2026-03-02T18:15:00", "eventReasonDescr": "x"}]}
    carrier = carrier_of("gls")
    message = Message(json.dumps(as_text).encode(), {"content-type": "text/plain"})
    assert only(carrier.parse(message)).milestone is Milestone.OUT_FOR_DELIVERY


@pytest.mark.requirement("M44")
def test_trap_64_compressed_and_oversized_bodies(door: Door) -> None:
    body = json.dumps(easypost(easypost_detail("picked_up", "2026-03-01T08:00:00Z"))).encode()
    assert decompress(gzip.compress(body), "gzip") == body
    with pytest.raises(Unreadable, match="more than"):
        decompress(gzip.compress(b" " * (LARGEST_BODY + 1)), "gzip")
    proof = carrier_of("easypost").proof
    packed = gzip.compress(body)
    headers = proof.prove(packed, SECRET, now()) | {"content-encoding": "gzip"}
    assert door.client.post("/in/easypost", data=packed, headers=headers).status_code == 202
    (entry,) = [fields for _, fields in door.redis.xrange("milepost:intake:live")]
    assert entry[b"carrier"] == b"easypost"


@pytest.mark.requirement("M44")
def test_trap_64_nothing_at_all_is_no_event() -> None:
    for name in ("gls", "seko", "tnt", "usps"):
        with pytest.raises(Unreadable):
            read(name, b"")
    assert judge_by_status(404) is Outcome.NOT_FOUND


# ---- 8. polling


@pytest.mark.requirement("M85")
def test_trap_66_a_carriers_budget_is_declared_and_kept(client: redis.Redis) -> None:
    polls = {carrier.name: carrier.poll for carrier in all_carriers() if carrier.poll}
    assert Limit(250, DAY, burst=20) in polls["dhl_unified"].limits
    assert Limit(1_400, timedelta(seconds=10)) in polls["fedex"].limits
    throttle = Throttle(client, "testing", "a", [Limit(1, 5 * SECOND)])
    assert throttle.take(SECOND) == 0
    with pytest.raises(NoPlace):
        throttle.take(SECOND)
    throttle.fail("429", asked_for=timedelta(hours=2))  # its Retry-After
    assert throttle.paused()[0] > 7000


@pytest.mark.requirement("M85")
def test_trap_66_what_is_about_to_change_is_asked_about_more_often() -> None:
    paces = [TABLE.pace(milestone).ask_every for milestone in (Milestone.OUT_FOR_DELIVERY, Milestone.LABEL_CREATED)]
    assert paces[0] < paces[1]


@pytest.mark.requirement("M85")
def test_trap_67_one_token_is_fetched_for_all_and_renewed_early(client: redis.Redis) -> None:
    fetched: list[str] = []

    def fetch() -> Answer:
        fetched.append(f"token-{len(fetched)}")
        return Answer(Outcome.ANSWERED, json.dumps({"access_token": fetched[-1], "expires_in": "3600"}).encode())

    one, other = (Tokens(client, SEAL, "fedex", "") for _ in range(2))
    assert [one.get(fetch), other.get(fetch), one.get(fetch)] == ["token-0"] * 3
    left = client.pttl("milepost:poll:fedex::token")
    assert 3_500_000 < left <= 3_540_000  # a minute early
    assert b"token-0" not in (client.get("milepost:poll:fedex::token") or b"")


@pytest.mark.requirement("M75")
def test_trap_68_no_call_asks_about_more_numbers_than_the_carrier_takes_and_none_twice(
    database_url: str, clean: None
) -> None:
    sizes = {carrier.name: carrier.poll.numbers_per_call for carrier in all_carriers() if carrier.poll}
    assert (sizes["fedex"], sizes["ups"], sizes["dhl_unified"]) == (30, 1, 1)
    engine = make_engine(database_url)
    with engine.begin() as connection:
        want(connection, "fedex", ["7000 0000 0017", "700000000017", "7000-0000-0017"])
        numbers = [row[0] for row in connection.execute(text("select number from polls"))]
    engine.dispose()
    assert numbers == ["700000000017"]


@pytest.mark.requirement("X6")
@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (Known(START, START, Milestone.DELIVERED, START, START, START), "over"),
        (Known(START, START, Milestone.RETURNED, START, START, START), "over"),
        (Known(START, START, Milestone.IN_TRANSIT, START - TABLE.expired, START, START), "expired"),
        (Known(START, START, Milestone.IN_TRANSIT, START, START, START - TABLE.silent), "silent"),
        (Known(START - TABLE.never_known, START), "never known"),
    ],
)
def test_trap_69_asking_ends_by_itself(known: Known, reason: str) -> None:
    at = START + TABLE.silent + timedelta(hours=1)
    stopped = plan(known, TABLE, at if reason == "silent" else START + timedelta(hours=1))
    assert stopped.due_at is None
    assert stopped.reason.startswith(reason)


@pytest.mark.requirement("M74")
def test_trap_70_an_answer_that_goes_on_elsewhere_is_marked_as_partial() -> None:
    scan = {"date": "20260311", "time": "101500", "status": {"type": "I", "code": "AR"}}
    packages = [{"trackingNumber": "1ZM1LE570300000017", "packageCount": 120, "activity": [scan]}]
    status = {"tracking_number": "T1", "checkpoints": [{"tag": "InTransit", "checkpoint_time": "2026-03-02T18:15:00"}]}
    tracker = easypost(easypost_detail("in_transit", "2026-03-02T10:15:00Z"))["result"]
    answers = [
        read("ups", {"trackResponse": {"shipment": [{"package": packages}]}}),
        read("dhl_unified", dhl(dhl_event("2026-03-02T10:15:00", "transit")) | {"nextUrl": "/shipments?offset=5"}),
        read("easypost", {"trackers": [tracker], "has_more": True}),
        read("aftership", {"data": {"trackings": [status], "pagination": {"has_next_page": True}}}),
        read("tnt", tnt("<ContinuationKey>k</ContinuationKey>", tnt_consignment("7", ("OD", "20260302", "1815")))),
    ]
    for reading in answers:
        assert len(reading.events) == 1
        assert reading.notice


# ---- 9. data protection


def dhl_with_a_person() -> dict[str, Any]:
    person = {"name": NAME, "givenName": "Wilhelmina", "familyName": "Beispiel", "phone": PHONE}
    address = {"countryCode": "DE", "addressLocality": "Bonn", "streetAddress": STREET}
    event = dhl_event("2026-03-02T10:15:00", "transit", description=f"Notified {NAME}, {PHONE}")
    event["location"]["address"] |= address
    return dhl(event, details={"receiver": person | {"address": address}})


def sendcloud_with_a_person() -> dict[str, Any]:
    status = {"id": 3, "message": "En route"}
    parcel = {"id": 7, "tracking_number": "SC7", "status": status, "name": NAME, "address": STREET, "telephone": PHONE}
    return {
        "action": "parcel_status_changed",
        "timestamp": 1772446500000,
        "parcel": parcel | {"email": "w@example.com"},
    }


@pytest.mark.requirement("M97")
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("dhl_unified", dhl_with_a_person()),
        ("sendcloud", sendcloud_with_a_person()),
        ("ups", ups_alert(activityLocation={"addressLine1": STREET, "city": "Bonn", "attentionName": NAME})),
        ("fedex", fedex(fedex_scan("IT", "2026-03-02T10:00:00-06:00"), recipientInformation=CONTACT)),
    ],
)
def test_trap_71_an_event_holds_nothing_of_the_recipient(name: str, body: Any) -> None:
    event = json.dumps(only(read(name, body)).to_dict(), ensure_ascii=False)
    for private in (NAME, STREET, PHONE, "w@example.com", "Beispiel"):
        assert private not in event


@pytest.mark.requirement("M97")
def test_trap_71_a_proof_of_delivery_is_a_reference_and_the_raw_message_is_sealed() -> None:
    photo = base64.b64encode(b"a photo of a door" * 100).decode()
    details = {"proofOfDelivery": {"documentUrl": "https://example.com/pod/7", "signatureUrl": photo, "image": photo}}
    body = dhl(dhl_event("2026-03-02T10:15:00", "delivered"), details=details)
    event = only(read("dhl_unified", body))
    assert event.proof_of_delivery is not None
    assert event.proof_of_delivery.document == "https://example.com/pod/7"
    assert photo not in json.dumps(event.to_dict())
    message_id = new_id()
    raw = json.dumps(dhl_with_a_person()).encode()
    sealed = SEAL.close(message_id, raw, {})
    assert NAME.encode() not in sealed
    assert SEAL.open(message_id, sealed)[0] == raw


@pytest.mark.requirement("M96")
@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("sendcloud", {"action": "integration_credentials", "public_key": "pk-1", "secret_key": "sk-1"}),
        ("sendcloud", {"action": "integration_connected", "integration": {"credentials": {"secret_key": "sk-1"}}}),
        ("dhl_unified", {"scope": "subscription.validate", "secret": "sk-1", "self": "https://example.com/s/sk-1"}),
    ],
)
def test_trap_72_secrets_in_a_body_are_in_no_notice(name: str, body: Any) -> None:
    reading: Reading = read(name, body)
    assert reading.events == ()
    assert "sk-1" not in (reading.notice or "")


@pytest.mark.requirement("M96")
def test_trap_72_no_line_of_a_log_holds_a_body_a_header_or_a_secret(door: Door, caplog: Any) -> None:
    with caplog.at_level(logging.DEBUG):
        door.post("sendcloud", {"action": "integration_credentials", "secret_key": "sk-1"})
        door.client.post("/in/ups?token=sk-1", data=b"{}", headers={"credential": "sk-1"})
    lines = [JsonLine("web").format(record) for record in caplog.records if record.name.startswith(("app", "carriers"))]
    assert not [line for line in lines if "sk-1" in line or SECRET in line]
    record = logging.LogRecord("app", logging.WARNING, "x.py", 1, "kept", (), None)
    record.__dict__.update(body="sk-1", headers={"credential": "sk-1"}, url="/in/shippo?token=sk-1")
    assert "sk-1" not in JsonLine("web").format(record)
