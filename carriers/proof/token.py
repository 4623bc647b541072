"""Schemes in which a shared secret itself travels. None of them covers the body."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from carriers.proof.compare import fingerprint, is_any
from carriers.proof.scheme import RequestProof
from carriers.request import Request
from shipments.errors import SignatureMismatch, SignatureMissing


def _check(claimed: str, expected: Sequence[str], where: str) -> None:
    if not claimed:
        raise SignatureMissing(f"the secret in {where} is missing")
    if not is_any([fingerprint(claimed)], map(fingerprint, expected)):
        raise SignatureMismatch("no live secret is this token")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenProof:
    """A secret the receiver chose, sent back in a header with every message. It does not cover the body."""

    header: str
    prefix: str = ""
    covers_body = False
    needs_secret = True
    max_age = None

    @property
    def headers(self) -> tuple[str, ...]:
        return (self.header,)

    @property
    def words(self) -> str:
        return f"secret in {self.header}"

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        _check(headers.get(self.header, ""), [self.prefix + s for s in secrets if s], self.header)

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        return {self.header: self.prefix + secret}


@dataclass(frozen=True, slots=True)
class BasicProof:
    """HTTP Basic (RFC 7617): the secret is `user:password`, in UTF-8."""

    headers = ("authorization",)
    covers_body = False
    needs_secret = True
    max_age = None
    words = "HTTP Basic"

    def verify(self, headers: Mapping[str, str], body: bytes, secrets: Sequence[str], received_at: datetime) -> None:
        scheme, _, claimed = headers.get("authorization", "").strip().partition(" ")
        # the name of the scheme may be written in any case; the rest is compared to the letter
        _check(claimed.strip() if scheme.lower() == "basic" else "", [_basic(s) for s in secrets if s], "authorization")

    def prove(self, body: bytes, secret: str, at: datetime) -> dict[str, str]:
        return {"authorization": "Basic " + _basic(secret)}


def _basic(secret: str) -> str:
    return base64.b64encode(secret.encode("utf-8", "surrogateescape")).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryProof(RequestProof):
    """A secret in the query of the address, `?token=...`. Proxies log addresses: prefer a header where there is one."""

    name: str = "token"
    headers = ()
    covers_body = False
    needs_secret = True
    max_age = None

    @property
    def words(self) -> str:
        return f"secret in the query ({self.name})"

    def verify_request(self, request: Request, secrets: Sequence[str]) -> None:
        _check(request.query.get(self.name, ""), [s for s in secrets if s], f"the query ({self.name})")

    def prove_request(self, request: Request, secret: str) -> Request:
        return replace(request, query={**request.query, self.name: secret})


@dataclass(frozen=True, slots=True)
class PathProof(RequestProof):
    """A secret word at the end of the address: `/in/<carrier>/<word>`, or `/in/<carrier>/<account>.<word>`.

    The word is letters, digits, `_` and `-`; make it 20 or more of them. Join it with an AddressProof.
    """

    headers = ()
    covers_body = False
    needs_secret = True
    max_age = None
    words = "secret word in the address"

    @property
    def in_path(self) -> bool:
        return True

    def verify_request(self, request: Request, secrets: Sequence[str]) -> None:
        _check(request.word, [s for s in secrets if s], "the address")

    def prove_request(self, request: Request, secret: str) -> Request:
        return replace(request, word=secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyTokenProof(RequestProof):
    """A secret in a field of the JSON body, named by its path."""

    path: tuple[str, ...]
    headers = ()
    covers_body = False
    needs_secret = True
    max_age = None

    @property
    def words(self) -> str:
        return f"secret in the body ({'.'.join(self.path)})"

    def verify_request(self, request: Request, secrets: Sequence[str]) -> None:
        _check(self._find(request.body), [s for s in secrets if s], f"the body ({'.'.join(self.path)})")

    def prove_request(self, request: Request, secret: str) -> Request:
        whole = json.loads(request.body)
        holder = whole
        for name in self.path[:-1]:
            holder = holder.setdefault(name, {})
        holder[self.path[-1]] = secret
        return replace(request, body=json.dumps(whole).encode())

    def _find(self, body: bytes) -> str:
        try:
            value: Any = json.loads(body)
        except (ValueError, RecursionError):
            return ""
        for name in self.path:
            value = value.get(name) if isinstance(value, dict) else None
        return value if isinstance(value, str) else ""
