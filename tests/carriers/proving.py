"""The security checks that every scheme and every carrier has to pass, whatever its proof looks at."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from carriers.proof import AllOf, Proof, prove, verify
from carriers.request import Request
from shipments.errors import Refused, SignatureMissing, SignatureStale

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
NON_ASCII = "schlüssel-ключ-鍵"
GARBAGE = ("", " ", "%%%", "ü", "\x00", "0" * 64, "a" * 10_000, "sha256=", "t=,v1=", "t=0,v1=00", "v1,AAAA", "null")


@cache
def key_pair(word: str) -> tuple[str, str]:
    """A private and a public key (PEM), the same for the same word."""
    number = int.from_bytes(hashlib.sha256(word.encode("utf-8", "surrogateescape")).digest()) >> 8 | 1
    key = ec.derive_private_key(number, ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return private.decode(), public.decode()


def secrets_of(proof: Proof, word: str) -> tuple[str, str]:
    """From any word to what the carrier signs with and what the settings hold, in the form that the scheme wants."""
    if isinstance(proof, AllOf):
        needing = [part for part in proof.parts if part.needs_secret]
        pairs = [secrets_of(part, f"{word.replace(' ', '-')}{n}" if word else "") for n, part in enumerate(needing)]
        if len(needing) == 1:
            return secrets_of(needing[0], word)
        return " ".join(private for private, _ in pairs), " ".join(public for _, public in pairs)
    if type(proof).__name__ == "PublicKeyProof":
        return key_pair(word)
    return word, word


def plain(body: bytes, at: datetime = NOW) -> Request:
    """The request before anything proves it."""
    return Request("POST", {}, {}, body, at, url="https://hooks.example.com/in/acme?x=1")


def sent(proof: Proof, body: bytes, word: str, at: datetime = NOW) -> Request:
    """The request as the carrier sends it, received NOW."""
    return replace(prove(proof, plain(body, at), secrets_of(proof, word)[0]), received_at=NOW)


def is_let_in(proof: Proof, request: Request, *words: str) -> bool:
    try:
        verify(proof, request, [secrets_of(proof, word)[1] for word in words])
    except Refused:
        return False
    return True


def spoiled(proof: Proof, request: Request) -> Iterator[tuple[str, Request]]:
    """The request with each part of its proof missing, cut short, or replaced by garbage, one at a time."""
    for name, value in request.headers.items():
        yield f"without {name}", replace(request, headers={k: v for k, v in request.headers.items() if k != name})
        for wrong in (*GARBAGE, value[:-2], value + "x", value[::-1]):
            yield f"{name}: {wrong[:40]}", replace(request, headers={**request.headers, name: wrong})
    for name in request.query:
        for wrong in GARBAGE:
            yield f"?{name}={wrong[:40]}", replace(request, query={name: wrong})
    for part in ("word", "address"):
        if getattr(request, part):
            for wrong in (*GARBAGE, "203.0.113.77", "::1"):
                yield f"{part} {wrong[:40]}", replace(request, **{part: wrong})


def check_what_is_proven_is_let_in(proof: Proof, body: bytes) -> None:
    for word in ("a-secret", "with spaces, and = signs", NON_ASCII):
        request = sent(proof, body, word)
        assert set(request.headers) <= set(proof.headers)
        assert is_let_in(proof, request, word)
    assert all(name == name.lower() for name in proof.headers)
    assert proof.words


def check_rotation(proof: Proof, body: bytes) -> None:
    for word in ("old-secret", "new-secret"):
        assert is_let_in(proof, sent(proof, body, word), "new-secret", "another", "old-secret")
    assert not is_let_in(proof, sent(proof, body, "old-secret"), "new-secret")


def check_others_are_refused(proof: Proof, body: bytes) -> None:
    for word in ("another-secret", NON_ASCII):
        assert not is_let_in(proof, sent(proof, body, word), "a-secret")


def check_nobody_without_a_secret(proof: Proof, body: bytes) -> None:
    for word in ("a-secret", ""):
        request = sent(proof, body, word)
        for secrets in ([], [""], ["", ""]):
            try:
                verify(proof, request, secrets)
            except Refused:
                continue
            raise AssertionError(f"let in with the secrets {secrets}")


def check_missing(proof: Proof, body: bytes) -> None:
    try:
        verify(proof, plain(body), [secrets_of(proof, "a-secret")[1]])
    except SignatureMissing:
        return
    raise AssertionError("a request without any proof is not called one whose signature is missing")


def check_every_part_counts(proof: Proof, body: bytes) -> None:
    for what, request in spoiled(proof, sent(proof, body, "a-secret")):
        assert not is_let_in(proof, request, "a-secret"), f"let in {what}"


def check_another_body_is_refused(proof: Proof, body: bytes) -> None:
    request = sent(proof, body, "a-secret")
    for other in (b"{}", body + b" ", body.replace(b":", b" :", 1)):
        assert not is_let_in(proof, replace(request, body=other), "a-secret")


def check_stale(proof: Proof, body: bytes) -> None:
    assert proof.max_age
    for away in (proof.max_age * 2, -proof.max_age * 2, timedelta(days=400)):
        try:
            verify(proof, sent(proof, body, "a-secret", NOW - away), [secrets_of(proof, "a-secret")[1]])
        except SignatureStale:
            continue
        raise AssertionError(f"let in {away} late")
    assert is_let_in(proof, sent(proof, body, "a-secret", NOW - proof.max_age + timedelta(seconds=1)), "a-secret")
