"""What is sealed can be opened by its key and its message alone."""

import os

import pytest

from shipments.clock import new_id
from shipments.store.seal import Seal, SealBroken

OLD, NEW = ("old", os.urandom(32)), ("new", os.urandom(32))
BODY, HEADERS = "Köln".encode(), {"x-token": "schlüssel", "odd": "\udcff"}


def test_a_sealed_message_opens_to_what_it_was() -> None:
    seal, message_id = Seal([NEW]), new_id()
    assert seal.open(message_id, seal.close(message_id, BODY, HEADERS)) == (BODY, HEADERS)


def test_an_empty_message_can_be_sealed() -> None:
    seal, message_id = Seal([NEW]), new_id()
    assert seal.open(message_id, seal.close(message_id, b"", {})) == (b"", {})


@pytest.mark.requirement("M86")
def test_neither_body_nor_headers_can_be_read_without_the_key() -> None:
    sealed = Seal([NEW]).close(new_id(), b"Lindenweg 12" * 9, {"x": "hush"})
    assert b"Lindenweg" not in sealed
    assert b"hush" not in sealed


def test_the_same_message_is_sealed_differently_each_time() -> None:
    seal, message_id = Seal([NEW]), new_id()
    assert seal.close(message_id, BODY, HEADERS) != seal.close(message_id, BODY, HEADERS)


@pytest.mark.requirement("M92")
def test_a_rotated_key_still_opens_what_it_sealed() -> None:
    message_id = new_id()
    sealed = Seal([OLD]).close(message_id, BODY, HEADERS)
    assert Seal([NEW, OLD]).open(message_id, sealed) == (BODY, HEADERS)
    with pytest.raises(SealBroken, match="add it back"):
        Seal([NEW]).open(message_id, sealed)


def test_a_body_cannot_be_passed_off_as_another_messages() -> None:
    seal = Seal([NEW])
    with pytest.raises(SealBroken):
        seal.open(new_id(), seal.close(new_id(), BODY, HEADERS))


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b[:10], lambda b: b""]
)
def test_a_changed_message_does_not_open(damage) -> None:
    seal, message_id = Seal([NEW]), new_id()
    with pytest.raises(SealBroken):
        seal.open(message_id, damage(seal.close(message_id, BODY, HEADERS)))


def test_without_a_key_nothing_can_be_sealed() -> None:
    with pytest.raises(SealBroken, match="milepost new-key"):
        Seal([])
