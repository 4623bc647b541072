"""The schemes by which a carrier proves itself, over what they are made of."""

import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from carriers.proof import HmacProof, TokenProof, stamp_dot_body
from shipments.errors import SignatureMismatch, SignatureMissing, SignatureStale

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BODY = b'{"x": "\xc3\xa9", "y": [1, 2]}'
PLAIN = HmacProof(header="x-signature")
STAMPED = HmacProof(
    header="x-signature",
    encodings=("hex",),
    timestamp_header="x-timestamp",
    tolerance=timedelta(minutes=5),
    signs=stamp_dot_body,
)
TOKEN = TokenProof(header="x-token")

pytestmark = pytest.mark.requirement("M43")


def stamped(stamp: str, secret: str = "s", body: bytes = BODY) -> dict[str, str]:
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, "sha256").hexdigest()
    return {"x-signature": digest, "x-timestamp": stamp}


# ---- what is signed, and how it is written


def test_the_proof_is_the_hmac_of_the_raw_body() -> None:
    digest = hmac.new(b"s", BODY, hashlib.sha256).digest()
    assert PLAIN.prove(BODY, "s", NOW) == {"x-signature": base64.b64encode(digest).decode()}
    PLAIN.verify({"x-signature": f" {base64.b64encode(digest).decode()} "}, BODY, ["s"], NOW)


@pytest.mark.parametrize("other", [BODY + b" ", BODY.replace(b", ", b","), BODY.decode().encode("cp1252"), b""])
def test_another_writing_of_the_same_body_is_another_body(other: bytes) -> None:
    with pytest.raises(SignatureMismatch):
        PLAIN.verify(PLAIN.prove(BODY, "s", NOW), other, ["s"], NOW)


def test_every_accepted_encoding_is_accepted_and_no_other() -> None:
    either = HmacProof(header="x-signature", encodings=("base64", "hex"))
    as_hex = HmacProof(header="x-signature", encodings=("hex",))
    for sender in (PLAIN, as_hex):
        either.verify(sender.prove(BODY, "s", NOW), BODY, ["s"], NOW)
    with pytest.raises(SignatureMismatch):
        as_hex.verify(PLAIN.prove(BODY, "s", NOW), BODY, ["s"], NOW)
    with pytest.raises(SignatureMismatch):
        PLAIN.verify(as_hex.prove(BODY, "s", NOW), BODY, ["s"], NOW)


def test_hex_is_read_in_either_case_and_behind_its_prefix() -> None:
    scheme = HmacProof(header="x-signature", encodings=("hex",), prefix="sha256=")
    (value,) = scheme.prove(BODY, "s", NOW).values()
    assert value.startswith("sha256=")
    scheme.verify({"x-signature": "sha256=" + value.removeprefix("sha256=").upper()}, BODY, ["s"], NOW)


def test_a_secret_may_hold_any_letters() -> None:
    for scheme in (PLAIN, STAMPED, TOKEN):
        scheme.verify(scheme.prove(BODY, "schlüssel-ключ", NOW), BODY, ["schlüssel-ключ"], NOW)
        with pytest.raises(SignatureMismatch):
            scheme.verify(scheme.prove(BODY, "schlüssel-ключ", NOW), BODY, ["schlussel-ключ"], NOW)


@pytest.mark.parametrize("scheme", [PLAIN, STAMPED, TOKEN])
def test_half_a_proof_is_no_proof(scheme: HmacProof | TokenProof) -> None:
    proof = scheme.prove(BODY, "s" * 20, NOW)
    short = proof | {scheme.headers[0]: proof[scheme.headers[0]][:-2]}
    with pytest.raises(SignatureMismatch):
        scheme.verify(short, BODY, ["s" * 20], NOW)


@pytest.mark.parametrize("scheme", [PLAIN, STAMPED, TOKEN])
def test_an_empty_proof_is_a_missing_one(scheme: HmacProof | TokenProof) -> None:
    for headers in ({}, dict.fromkeys(scheme.headers, "")):
        with pytest.raises(SignatureMissing):
            scheme.verify(headers, BODY, ["s"], NOW)


def test_a_signature_of_blanks_is_a_missing_one() -> None:
    with pytest.raises(SignatureMissing):
        PLAIN.verify({"x-signature": "  "}, BODY, ["s"], NOW)


def test_an_empty_key_does_not_prove_anything_where_a_secret_is_set() -> None:
    for scheme in (PLAIN, STAMPED):
        with pytest.raises(SignatureMismatch):
            scheme.verify(scheme.prove(BODY, "", NOW), BODY, ["s"], NOW)


# ---- the set of secrets


@pytest.mark.parametrize("scheme", [PLAIN, STAMPED, TOKEN])
def test_any_live_secret_will_do_wherever_it_stands(scheme: HmacProof | TokenProof) -> None:
    secrets = ["first", "second", "third"]
    for secret in secrets:
        scheme.verify(scheme.prove(BODY, secret, NOW), BODY, secrets, NOW)
    with pytest.raises(SignatureMismatch):
        scheme.verify(scheme.prove(BODY, "second", NOW), BODY, ["first", "third"], NOW)


@pytest.mark.parametrize("scheme", [PLAIN, STAMPED, TOKEN])
def test_without_a_secret_nobody_is_let_in(scheme: HmacProof | TokenProof) -> None:
    with pytest.raises(SignatureMismatch):
        scheme.verify(scheme.prove(BODY, "s", NOW), BODY, [], NOW)


@pytest.mark.parametrize("scheme", [PLAIN, STAMPED, TOKEN])
def test_every_secret_is_compared_even_after_one_matched(
    scheme: HmacProof | TokenProof, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[bool] = []
    compare = hmac.compare_digest

    def counting(one: bytes, other: bytes) -> bool:
        compared.append(True)
        return compare(one, other)

    proof = scheme.prove(BODY, "first", NOW)
    monkeypatch.setattr(hmac, "compare_digest", counting)
    scheme.verify(proof, BODY, ["first", "second", "third"], NOW)
    assert len(compared) == 3


# ---- the time


def test_a_stamp_is_signed_with_the_body() -> None:
    stamp = str(int(NOW.timestamp()))
    assert STAMPED.prove(BODY, "s", NOW) == stamped(stamp)
    later = {"x-timestamp": str(int(NOW.timestamp()) + 1)}
    with pytest.raises(SignatureMismatch):
        STAMPED.verify(stamped(stamp) | later, BODY, ["s"], NOW)


@pytest.mark.parametrize("seconds", [-300, -1, 0, 1, 300])
def test_a_stamp_within_the_tolerance_is_let_in(seconds: int) -> None:
    STAMPED.verify(stamped(str(int(NOW.timestamp()) + seconds)), BODY, ["s"], NOW)


@pytest.mark.parametrize("seconds", [-301, 301, -86_400, 86_400])
def test_a_stamp_from_too_long_ago_or_from_the_future_is_stale(seconds: int) -> None:
    with pytest.raises(SignatureStale):
        STAMPED.verify(stamped(str(int(NOW.timestamp()) + seconds)), BODY, ["s"], NOW)


@pytest.mark.parametrize("stamp", ["nan", "inf", "-inf", "1e999", "0"])
def test_a_stamp_that_is_no_moment_is_stale(stamp: str) -> None:
    with pytest.raises(SignatureStale):
        STAMPED.verify(stamped(stamp), BODY, ["s"], NOW)


@pytest.mark.parametrize("stamp", ["soon", "2026-03-02T09:30:00Z", "0x10", "1,0"])
def test_a_stamp_that_is_no_number_is_refused_even_if_it_is_signed(stamp: str) -> None:
    with pytest.raises(SignatureMismatch):
        STAMPED.verify(stamped(stamp), BODY, ["s"], NOW)


def test_a_forged_old_message_is_a_mismatch_before_it_is_stale() -> None:
    with pytest.raises(SignatureMismatch):
        STAMPED.verify(stamped("0", "wrong"), BODY, ["s"], NOW)


def test_a_signature_without_its_stamp_is_missing_a_part() -> None:
    with pytest.raises(SignatureMissing, match="x-timestamp"):
        STAMPED.verify({"x-signature": stamped("0")["x-signature"]}, BODY, ["s"], NOW)


# ---- tokens


def test_a_token_says_that_it_does_not_cover_the_body() -> None:
    assert not TOKEN.covers_body
    assert PLAIN.covers_body
    TOKEN.verify(TOKEN.prove(BODY, "s", NOW), b"another body", ["s"], NOW)


def test_a_token_is_compared_whole_with_its_prefix() -> None:
    bearer = TokenProof(header="authorization", prefix="Bearer ")
    bearer.verify({"authorization": "Bearer s"}, BODY, ["s"], NOW)
    for claimed in ("s", "bearer s", "Bearer  s", "Bearer s ", "Bearer "):
        with pytest.raises(SignatureMismatch):
            bearer.verify({"authorization": claimed}, BODY, ["s"], NOW)
