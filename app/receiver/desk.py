"""A carrier's desk: everything about it that need not be worked out again for each message."""

import logging
import re
import time
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from app.problem import Problem
from carriers.base import Carrier, Request
from carriers.proof import AddressProof, AllOf, RequestProof
from config.settings import Settings
from shipments.errors import Refused

log = logging.getLogger(__name__)

_ALWAYS_KEPT = ("content-type", "content-encoding")
_ACCOUNT = re.compile(r"[A-Za-z0-9_-]{1,40}")
_REMIND_AFTER_SECONDS = 60.0


class Desk:
    """One carrier at the door: which headers are kept, and whose secrets are live."""

    def __init__(self, carrier: Carrier, settings: Settings) -> None:
        self.carrier = carrier
        names = dict.fromkeys((*_ALWAYS_KEPT, *carrier.proof.headers, *carrier.kept_headers))
        self._keys = tuple((name, environ_key(name)) for name in names)
        self._settings = settings
        self._networks = settings.networks_of(carrier.name)
        self._proof = AllOf((AddressProof(), carrier.proof)) if self._networks else carrier.proof
        self._in_path = isinstance(self._proof, RequestProof) and self._proof.in_path
        self._reminded_at = float("-inf")

    def secrets(self, account: str) -> tuple[str, ...]:
        """The live secrets. Raises Problem 404 for an account that nobody set up."""
        secrets = self._settings.secrets_of(self.carrier.name, account)
        if account and not (secrets and _ACCOUNT.fullmatch(account)):
            raise Problem(404, "unknown-account", "No such account of this carrier is set up.")
        return secrets

    def headers(self, environ: dict[str, Any]) -> dict[str, str]:
        """The headers that are kept, by an allow-list: those of the proof, and those that parsing needs."""
        return {name: _as_sent(environ[key]) for name, key in self._keys if environ.get(key)}

    def account(self, segment: str) -> str:
        """The account that the last segment of the address names: without the secret word, where there is one."""
        return segment.rpartition(".")[0] if self._in_path else segment

    def request(self, environ: dict[str, Any], headers: dict[str, str], body: bytes, received_at: datetime) -> Request:
        """The whole request, for the schemes and handshakes that have to see it."""
        path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
        last = path.rpartition("/")[2]
        return Request(
            method=environ["REQUEST_METHOD"],
            headers=headers,
            query=dict(parse_qsl(query)),
            body=body,
            received_at=received_at,
            word=last.rpartition(".")[2] if self._in_path else "",
            url=f"{self._settings.public_url.rstrip('/')}{path}{'?' if query else ''}{query}",
            address=_sender(environ, self._settings.proxies),
            networks=self._networks,
        )

    def verify(
        self, account: str, headers: dict[str, str], body: bytes, received_at: datetime, environ: dict[str, Any]
    ) -> None:
        """Returns if the carrier sent this. Raises Problem 401, and says so once a minute if no secret is set."""
        secrets = self.secrets(account)
        if not secrets:
            self._remind()
            raise Problem(401, "no-secret", "No secret of this carrier is set up here, so nothing can be proven.")
        try:
            if isinstance(self._proof, RequestProof):
                self._proof.verify_request(self.request(environ, headers, body, received_at), secrets)
            else:
                self._proof.verify(headers, body, secrets, received_at)
        except Refused as refusal:
            raise Problem(401, refusal.reason, "The proof that this carrier sent the message does not hold.") from None

    def _remind(self) -> None:
        if (now := time.monotonic()) - self._reminded_at >= _REMIND_AFTER_SECONDS:
            self._reminded_at = now
            setting = f"CARRIER_{self.carrier.name.upper()}_SECRETS"
            log.error("messages are refused because %s is not set", setting, extra={"carrier": self.carrier.name})


def open_desks(carriers: Iterable[Carrier], settings: Settings) -> dict[str, Desk]:
    """A desk for each carrier, by name. All are loaded at start, so that a broken folder is seen then."""
    return {carrier.name: Desk(carrier, settings) for carrier in carriers}


@lru_cache(1024)
def environ_key(name: str) -> str:
    """Where the environment of a request (PEP 3333) has that header."""
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


def _sender(environ: dict[str, Any], proxies: int) -> str:
    """The IP address of who called: with proxies in front, what the outermost of ours saw; empty if it is not told."""
    if not proxies:
        return str(environ.get("REMOTE_ADDR", ""))
    hops = str(environ.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    return hops[-proxies].strip() if len(hops) >= proxies else ""


def _as_sent(value: str) -> str:
    """WSGI hands bytes over as Latin-1; what carriers mean is UTF-8."""
    return value if value.isascii() else value.encode("latin-1").decode("utf-8", "surrogateescape")
