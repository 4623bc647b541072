"""From a sealed message to a verdict and events."""

import gzip
import json
import zlib

import pytest

from carriers.base import Reading
from carriers.reading import LARGEST_BODY
from shipments.clock import new_id, now
from shipments.errors import Unreadable
from shipments.store.intake import Intaken
from shipments.store.messages import MessageState
from shipments.store.seal import Seal
from tests.fakes.carriers import post
from workers import understand as understanding
from workers.understand import decompress, understand

SEAL = Seal([("k1", b"1" * 32)])


def arrived(body: bytes, carrier: str = "ups", headers: dict[str, str] | None = None, seal: Seal = SEAL) -> Intaken:
    message_id = new_id()
    return Intaken(message_id, carrier, "", "live", now(), "0" * 32, seal.close(message_id, body, headers or {}))


def test_a_message_becomes_its_events():
    told = understand(arrived(post("ups", "1Z1", "delivered", now()).body), SEAL)
    assert told.verdict.state is MessageState.DONE
    assert [t.event.milestone.value for t in told.told] == ["delivered"]


@pytest.mark.requirement("M44", "M130")
@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"{", "is not JSON"), (b"", "empty"), (b"[1, 2]", "")],
)
def test_what_cannot_be_read_is_parked_with_its_reason(body, reason):
    verdict = understand(arrived(body), SEAL).verdict
    assert verdict.state is MessageState.PARKED
    assert reason in verdict.reason


def test_one_damaged_parcel_costs_that_parcel_alone():
    body = json.loads(post("dhl_unified", "D1", "delivered", now()).body)
    body["shipments"].append({"id": None, "status": {"statusCode": "transit"}})
    told = understand(arrived(json.dumps(body).encode(), "dhl_unified"), SEAL)
    assert [t.event.tracking_number for t in told.told] == ["D1"]
    assert told.verdict.state is MessageState.PARKED
    assert "shipments[1]" in told.verdict.reason


def test_a_bug_in_a_parser_costs_one_message_and_says_so(monkeypatch):
    class Broken:
        @staticmethod
        def parse(message) -> Reading:
            raise KeyError("consignee Jane Doe")

    monkeypatch.setattr(understanding, "find_carrier", lambda name: Broken)
    verdict = understand(arrived(b"{}"), SEAL).verdict
    assert verdict.state is MessageState.PARKED
    assert "KeyError" in verdict.reason
    assert "Jane" not in verdict.reason


def test_a_message_sealed_with_a_key_that_is_gone_is_parked_and_names_the_key():
    verdict = understand(arrived(b"{}", seal=Seal([("old", b"2" * 32)])), SEAL).verdict
    assert verdict.state is MessageState.PARKED
    assert "old" in verdict.reason
    assert "MILEPOST_SECRET_KEY" in verdict.reason


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_compressed_message_is_decompressed(encoding, pack):
    body = pack(post("ups", "1Z1", "delivered", now()).body)
    assert len(understand(arrived(body, headers={"content-encoding": encoding}), SEAL).told) == 1


def test_a_message_that_swells_beyond_the_limit_is_unreadable():
    with pytest.raises(Unreadable, match="more than"):
        decompress(gzip.compress(b" " * (LARGEST_BODY + 1)), "gzip")
    with pytest.raises(Unreadable, match="cut off"):
        decompress(gzip.compress(b"{}")[:-4], "gzip")
    with pytest.raises(Unreadable, match="not gzip"):
        decompress(b"{}", "gzip")
    with pytest.raises(Unreadable, match="is not gzip or deflate"):
        decompress(b"{}", "br")
