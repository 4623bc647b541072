"""Every scheme passes the same security checks, and the ones with a published vector reproduce it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from carriers import proof as p
from carriers.proof.public_key import PublicKeyProof
from shipments.errors import Refused, SignatureMismatch, SignatureMissing
from tests.carriers import proving

pytestmark = pytest.mark.requirement("M43")

BODY = b'{"x": "\xc3\xa9", "y": [1, 2]}'
HMAC = p.HmacProof(header="x-signature")
SCHEMES: dict[str, p.Proof] = {
    "hmac": HMAC,
    "hmac sha1 hex": p.HmacProof(header="x-signature", algorithm="sha1", encodings=("hex",), prefix="sha1="),
    "hmac sha512": p.HmacProof(header="x-signature", algorithm="sha512", encodings=("base64", "hex")),
    "hmac with a time": p.HmacProof(header="x-signature", timestamp_header="x-time", signs=p.stamp_dot_body),
    "hmac with iso time": p.HmacProof(
        header="x-signature", timestamp_header="x-time", stamp_form="iso", signs=p.stamp_dot_body
    ),
    "hmac with milliseconds": p.HmacProof(
        header="x-signature", timestamp_header="x-time", stamp_form="milliseconds", signs=p.stamp_dot_body
    ),
    "hmac of url and body": p.UrlHmacProof(header="x-signature"),
    "stamped": p.StampedHmacProof(header="x-signature"),
    "standard webhooks": p.StandardWebhooks(),
    "hash": p.HashProof(header="sign"),
    "public key": PublicKeyProof(header="x-signature", timestamp_header="x-time", signs=p.stamp_dot_body),
    "token": p.TokenProof(header="x-token", prefix="Bearer "),
    "basic": p.BasicProof(),
    "query": p.QueryProof(),
    "path": p.PathProof(),
    "body": p.BodyTokenProof(path=("auth", "token")),
    "path and address": p.AllOf((p.AddressProof(("192.0.2.0/24", "2001:db8::/32")), p.PathProof())),
    "path and hmac": p.AllOf((p.PathProof(), HMAC)),
}
each = pytest.mark.parametrize("scheme", SCHEMES.values(), ids=list(SCHEMES))


@each
def test_a_scheme_lets_in_what_is_proven(scheme: p.Proof) -> None:
    proving.check_what_is_proven_is_let_in(scheme, BODY)


@each
def test_a_scheme_accepts_the_old_secret_beside_the_new(scheme: p.Proof) -> None:
    proving.check_rotation(scheme, BODY)


@each
def test_a_scheme_refuses_another_secret(scheme: p.Proof) -> None:
    proving.check_others_are_refused(scheme, BODY)


@each
def test_a_scheme_refuses_where_no_secret_is_set(scheme: p.Proof) -> None:
    proving.check_nobody_without_a_secret(scheme, BODY)


@each
def test_a_scheme_says_that_its_proof_is_missing(scheme: p.Proof) -> None:
    proving.check_missing(scheme, BODY)


@each
def test_a_scheme_refuses_each_part_that_is_missing_or_wrong(scheme: p.Proof) -> None:
    proving.check_every_part_counts(scheme, BODY)


@pytest.mark.parametrize("scheme", [s for s in SCHEMES.values() if s.covers_body])
def test_a_scheme_that_covers_the_body_refuses_another(scheme: p.Proof) -> None:
    proving.check_another_body_is_refused(scheme, BODY)


@pytest.mark.parametrize("scheme", [s for s in SCHEMES.values() if s.max_age])
def test_a_scheme_that_signs_a_time_refuses_it_once_it_is_old(scheme: p.Proof) -> None:
    proving.check_stale(scheme, BODY)


@pytest.mark.parametrize("scheme", [s for s in SCHEMES.values() if isinstance(s, p.RequestProof)])
def test_a_scheme_that_needs_the_request_refuses_without_it(scheme: p.RequestProof) -> None:
    with pytest.raises(Refused):
        scheme.verify({}, BODY, ["a-secret"], proving.NOW)


# ---- one by one


def test_the_url_is_signed_too() -> None:
    scheme = SCHEMES["hmac of url and body"]
    moved = replace(proving.sent(scheme, BODY, "s"), url="https://hooks.example.com/in/other")
    assert not proving.is_let_in(scheme, moved, "s")


def test_a_header_with_two_times_is_refused() -> None:
    scheme = SCHEMES["stamped"]
    request = proving.sent(scheme, BODY, "s")
    doubled = replace(request, headers={"x-signature": f"t=1,{request.headers['x-signature']}"})
    assert not proving.is_let_in(scheme, doubled, "s")


def test_one_of_several_signatures_will_do_while_the_sender_rotates() -> None:
    for scheme, mark in ((SCHEMES["stamped"], ","), (SCHEMES["standard webhooks"], " ")):
        assert isinstance(scheme, p.StampedHmacProof | p.StandardWebhooks)
        request, name = proving.sent(scheme, BODY, "s"), scheme.headers[-1]
        both = replace(request, headers={**request.headers, name: f"{request.headers[name]}{mark}v1=00"})
        assert proving.is_let_in(scheme, both, "s")


def test_the_user_and_the_scheme_of_basic_are_read_as_http_has_them() -> None:
    request = replace(proving.plain(BODY), headers={"authorization": "bAsIc dXNlcjpwYXNz"})
    assert proving.is_let_in(p.BasicProof(), request, "user:pass")
    assert not proving.is_let_in(p.BasicProof(), request, "user:other")


@pytest.mark.parametrize("address", ["203.0.113.5", "192.0.3.1", "", "not an address", "::ffff:203.0.113.5"])
def test_an_address_outside_the_networks_is_refused(address: str) -> None:
    scheme = SCHEMES["path and address"]
    assert not proving.is_let_in(scheme, replace(proving.sent(scheme, BODY, "s"), address=address), "s")


@pytest.mark.parametrize("address", ["192.0.2.200", "::ffff:192.0.2.1", "2001:db8::7"])
def test_an_address_of_a_network_is_let_in(address: str) -> None:
    scheme = SCHEMES["path and address"]
    assert proving.is_let_in(scheme, replace(proving.sent(scheme, BODY, "s"), address=address), "s")


def test_without_any_network_nobody_is_let_in() -> None:
    request = replace(proving.plain(BODY), address="192.0.2.1")
    with pytest.raises(SignatureMismatch):
        p.AddressProof().verify_request(request, [])


def test_nothing_joined_proves_nothing() -> None:
    with pytest.raises(SignatureMismatch):
        p.AllOf(()).verify_request(proving.plain(BODY), ["s"])


def test_a_word_that_leaks_from_an_address_signs_nothing() -> None:
    scheme = p.AllOf((p.PathProof(), HMAC))
    request = replace(proving.plain(BODY), word="path-word", headers=HMAC.prove(BODY, "path-word", proving.NOW))
    with pytest.raises(Refused):
        scheme.verify_request(request, ["path-word hmac-key"])


def test_parts_proven_by_two_different_secrets_are_refused() -> None:
    scheme = p.AllOf((p.PathProof(), HMAC))
    request = replace(proving.plain(BODY), word="new-word", headers=HMAC.prove(BODY, "old-key", proving.NOW))
    with pytest.raises(Refused):
        scheme.verify_request(request, ["new-word new-key", "old-word old-key"])


def test_what_is_not_pushed_is_refused() -> None:
    with pytest.raises(SignatureMissing):
        p.NotPushed().verify({"x-signature": "x"}, BODY, ["s"], proving.NOW)


def public(key: Any) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return str(key.public_key().public_bytes(serialization.Encoding.PEM, form).decode())


def test_keys_of_each_kind_are_read_and_small_or_broken_ones_prove_nothing() -> None:
    large, small = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 1024)
    curve, edwards = ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()
    sha, scheme = hashes.SHA256(), PublicKeyProof(header="x-signature", encodings=("hex",))
    by_pss = PublicKeyProof(header="x-signature", encodings=("hex",), pss=True)
    pss = padding.PSS(padding.MGF1(sha), padding.PSS.DIGEST_LENGTH)
    cases = [
        (scheme, large, large.sign(BODY, padding.PKCS1v15(), sha), True),
        (by_pss, large, large.sign(BODY, pss, sha), True),
        (scheme, large, large.sign(BODY, pss, sha), False),
        (scheme, small, small.sign(BODY, padding.PKCS1v15(), sha), False),
        (scheme, curve, curve.sign(BODY, ec.ECDSA(sha)), True),
        (scheme, edwards, edwards.sign(BODY), True),
    ]
    for used, key, signature, fits in cases:
        request = replace(proving.plain(BODY), headers={"x-signature": signature.hex()})
        for secret in (public(key), public(key).replace("\n", "\\n")):
            for secrets in ([secret], ["no key", secret]):
                assert _holds(used, request, secrets) == fits


def _holds(scheme: p.Proof, request: Any, secrets: list[str]) -> bool:
    try:
        p.verify(scheme, request, secrets)
    except Refused:
        return False
    return True


# ---- published and computed vectors


@pytest.mark.parametrize(
    ("secret", "message_id", "stamp", "body", "signature"),
    [
        (  # the example of the Standard Webhooks libraries
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ),
        (  # the example of Svix: docs.svix.com, verifying webhooks manually
            "whsec_plJ3nmyCDGBKInavdOK15jsl",
            "msg_loFOjxBNrRLzqYUf",
            1731705121,
            b'{"event_type":"ping","data":{"success":true}}',
            "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
        ),
    ],
    ids=["the libraries", "svix"],
)
@pytest.mark.parametrize("prefix", ["webhook", "svix"])
def test_the_published_vectors_of_standard_webhooks_are_reproduced(
    prefix: str, secret: str, message_id: str, stamp: int, body: bytes, signature: str
) -> None:
    scheme, at = p.StandardWebhooks(prefix=prefix), datetime.fromtimestamp(stamp, UTC)
    headers = {f"{prefix}-id": message_id, f"{prefix}-timestamp": str(stamp), f"{prefix}-signature": signature}
    scheme.verify(headers, body, ["whsec_b3RoZXI=", secret], at)
    for wrong in (body + b" ", body.replace(b" ", b"") if b" " in body else body.replace(b",", b", ")):
        with pytest.raises(SignatureMismatch):
            scheme.verify(headers, wrong, [secret], at)


def usps_signs(body: bytes, stamp: str) -> bytes:
    envelope = json.loads(body)
    return f"{envelope['timestamp']}{envelope['payload']}".encode()


BY_CARRIER: dict[str, p.Proof] = {
    "easypost": p.HmacProof(header="x-hmac-signature", encodings=("hex",), prefix="hmac-sha256-hex=", key=p.nfkd_key),
    "aftership": p.HmacProof(header="aftership-hmac-sha256"),
    "shopify": p.HmacProof(header="x-shopify-hmac-sha256"),
    "fedex": p.HmacProof(header="fdx-signature", encodings=("base64", "hex")),
    "usps": p.HmacProof(header="x-hmac", signs=usps_signs),
    "shippo": p.StampedHmacProof(header="shippo-auth-signature", tolerance=timedelta(days=20_000)),
    "17track": p.HashProof(header="sign"),
    "sendcloud": p.HmacProof(header="sendcloud-signature", encodings=("hex",)),
    "dcsa": p.HmacProof(header="notification-signature", encodings=("hex",), prefix="sha256=", key=p.base64_key),
}


def test_the_reference_vectors_are_reproduced(request: pytest.FixtureRequest) -> None:
    path = Path(request.config.getoption("--reference")).parent / "signature-vectors.json"
    if not path.exists():
        pytest.skip(f"there are no vectors at {path}")
    vectors = json.loads(path.read_text(encoding="utf-8"))["vectors"]
    assert {vector["carrier"] for vector in vectors} == set(BY_CARRIER)
    for vector in vectors:
        scheme, header = BY_CARRIER[vector["carrier"]], vector["header"].lower()
        body, at = vector["body"].encode(), datetime(2026, 3, 2, tzinfo=UTC)
        scheme.verify({header: vector["expected"]}, body, ["other", vector["secret"]], at)
        for wrong in [w["value"] for w in vector.get("must_fail", ())]:
            with pytest.raises(SignatureMismatch):
                scheme.verify({header: wrong}, body, [vector["secret"]], at)
        if vector["carrier"] != "usps":
            with pytest.raises(SignatureMismatch):
                scheme.verify({header: vector["expected"]}, body + b" ", [vector["secret"]], at)
