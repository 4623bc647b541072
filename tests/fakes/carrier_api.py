"""Carriers as they are asked: DHL, UPS and FedEx answer over HTTP, as fast, as slowly and as rarely as a test wants.

    python -m tests.fakes.carrier_api --carrier dhl_unified --latency 0.2 --limit 50/1

prints its address, answers "in transit" about every number, and after a line on standard input prints what it counted,
as JSON, and ends.
"""

import argparse
import base64
import json
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, unquote, urlsplit

from tests.fakes.carriers import DHL, FEDEX, UPS

Step = tuple[str, datetime]
"""A milestone and when it was reached."""

API_KEY, CLIENT_ID, CLIENT_SECRET = "stub-api-key", "stub-client-id", "stub-client-secret"
TOKEN = "stub-token-"


@dataclass(slots=True)
class Asked:
    """One call the stub was asked: when (monotonic), about which numbers, and the status it answered."""

    at: float
    numbers: tuple[str, ...]
    status: int


@dataclass
class CarrierApi:
    """One carrier's API, from `with` on. url: where it is.

    latency: seconds before each answer. limit: (calls, seconds), over any stretch so long; more are answered 429.
    histories: what happened to each number; a number without one is not found. everything: answers for those too.
    storm: so many next calls are answered 429. broken: so many next calls are answered 500. retry_after: of a 429.
    """

    carrier: str
    latency: float = 0.0
    limit: tuple[int, float] | None = None
    histories: dict[str, list[Step]] = field(default_factory=dict)
    everything: bool = False
    storm: int = 0
    broken: int = 0
    retry_after: int | None = 1
    token_seconds: int = 3600
    bad_numbers: frozenset[str] = frozenset()
    asked: list[Asked] = field(default_factory=list)
    tokens: int = 0
    refused: int = 0
    most_at_once: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._arrivals: deque[float] = deque()
        self._under_way = 0
        self._began = datetime.now(UTC)
        self.revoked: set[str] = set()

    def __enter__(self) -> Self:
        api = self

        class Handler(_Handler):
            stub = api

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def environ(self) -> dict[str, str]:
        """The settings that make Milepost ask here."""
        name = f"CARRIER_{self.carrier.upper()}"
        credentials = {f"{name}_CLIENT_ID": CLIENT_ID, f"{name}_CLIENT_SECRET": CLIENT_SECRET}
        if self.carrier == "dhl_unified":
            credentials = {f"{name}_API_KEY": API_KEY}
        return credentials | {f"{name}_POLL_URL": self.url}

    def statuses(self) -> Counter[int]:
        """How many calls were answered with which status."""
        return Counter(call.status for call in self.asked)

    def numbers(self) -> Counter[str]:
        """How often each number was answered about."""
        return Counter(number for call in self.asked if call.status == 200 for number in call.numbers)

    def answer(self, numbers: Sequence[str], authorized: bool) -> tuple[int, dict[str, str], Any]:
        """Status, headers and body."""
        at = time.monotonic()
        with self._lock:
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            status = self._status(at, numbers, authorized)
            self.asked.append(Asked(at, tuple(numbers), status))
        time.sleep(self.latency)
        with self._lock:
            self._under_way -= 1
        headers = {"Retry-After": str(self.retry_after)} if status == 429 and self.retry_after is not None else {}
        body = _ANSWERS[self.carrier]([(n, self._history(n)) for n in numbers]) if status == 200 else {"status": status}
        return status, headers, body

    def _status(self, at: float, numbers: Sequence[str], authorized: bool) -> int:
        if self.storm > 0:
            self.storm -= 1
            return 429
        if self.limit and not self._has_room(at, *self.limit):
            return 429
        if not authorized:
            self.refused += 1
            return 401
        if self.broken > 0:
            self.broken -= 1
            return 500
        if self.bad_numbers & set(numbers):
            return 400
        known = [n for n in numbers if self._history(n)]
        return 200 if known or self.carrier == "fedex" else 404

    def _has_room(self, at: float, calls: int, seconds: float) -> bool:
        while self._arrivals and self._arrivals[0] <= at - seconds:
            self._arrivals.popleft()
        if len(self._arrivals) >= calls:
            return False
        self._arrivals.append(at)
        return True

    def _history(self, number: str) -> list[Step]:
        usual = [("picked_up", self._began - timedelta(days=1))] if self.everything else []
        return self.histories.get(number, usual)

    def make_token(self, authorized: bool) -> tuple[int, dict[str, str], Any]:
        if not authorized:
            self.refused += 1
            return 401, {}, {}
        with self._lock:
            self.tokens += 1
            return 200, {}, {"access_token": f"{TOKEN}{self.tokens}", "expires_in": str(self.token_seconds)}

    def accepts(self, token: str) -> bool:
        return token.startswith(f"Bearer {TOKEN}") and token not in self.revoked


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


class _Handler(BaseHTTPRequestHandler):
    stub: CarrierApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if self.stub.carrier == "dhl_unified":
            numbers = parse_qs(parts.query)["trackingNumber"]
            self._say(*self.stub.answer(numbers, self.headers["DHL-API-Key"] == API_KEY))
        else:
            number = unquote(parts.path.rpartition("/")[2])
            self._say(*self.stub.answer([number], self.stub.accepts(self.headers["Authorization"] or "")))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path.endswith("/oauth/token"):
            self._say(*self.stub.make_token(self._knows_secret(body)))
            return
        asked = [item["trackingNumberInfo"]["trackingNumber"] for item in json.loads(body)["trackingInfo"]]
        self._say(*self.stub.answer(asked, self.stub.accepts(self.headers["Authorization"] or "")))

    def _knows_secret(self, body: bytes) -> bool:
        if self.stub.carrier == "ups":
            expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
            return self.headers["Authorization"] == f"Basic {expected}"
        form = parse_qs(body.decode())
        return form.get("client_id") == [CLIENT_ID] and form.get("client_secret") == [CLIENT_SECRET]

    def _say(self, status: int, headers: dict[str, str], document: Any) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *args: Any) -> None:
        """Quiet."""


def _dhl(asked: Sequence[tuple[str, list[Step]]]) -> Any:
    shipments = []
    for number, history in asked:
        events = [_dhl_event(*step) for step in reversed(history)]
        if events:
            shipments.append({"id": number, "service": "parcel-de", "status": events[0], "events": events})
    return {"shipments": shipments}


def _dhl_event(milestone: str, at: datetime) -> Any:
    status, code, words = DHL[milestone]
    return {
        "timestamp": at.astimezone(timezone(timedelta(hours=1))).isoformat(timespec="seconds"),
        "location": {"address": {"countryCode": "DE", "postalCode": "04435", "addressLocality": "Leipzig"}},
        "statusCode": status,
        "status": code,
        "description": words,
    }


def _ups(asked: Sequence[tuple[str, list[Step]]]) -> Any:
    ((number, history),) = asked
    activity = [_ups_activity(*step) for step in reversed(history)]
    package = {"trackingNumber": number, "packageCount": 1, "activity": activity}
    return {"trackResponse": {"shipment": [{"inquiryNumber": number, "package": [package]}]}}


def _ups_activity(milestone: str, at: datetime) -> Any:
    kind, code, words = UPS[milestone]
    local, utc = at.astimezone(timezone(timedelta(hours=-5))), at.astimezone(UTC)
    place = {"city": "Louisville", "stateProvince": "KY", "postalCode": "40213", "countryCode": "US", "country": "US"}
    return {
        "location": {"address": place, "slic": "4009"},
        "status": {"type": kind, "code": code, "description": words, "statusCode": ""},
        "date": local.strftime("%Y%m%d"),
        "time": local.strftime("%H%M%S"),
        "gmtDate": utc.strftime("%Y%m%d"),
        "gmtTime": utc.strftime("%H:%M:%S").replace(":", ""),
        "gmtOffset": "-05:00",
    }


def _fedex(asked: Sequence[tuple[str, list[Step]]]) -> Any:
    return {"transactionId": str(time.monotonic_ns()), "output": {"completeTrackResults": [_result(*a) for a in asked]}}


def _result(number: str, history: list[Step]) -> Any:
    if not history:
        error = {"code": "TRACKING.TRACKINGNUMBER.NOTFOUND", "message": "Tracking number cannot be found."}
        return {
            "trackingNumber": number,
            "trackResults": [{"trackingNumberInfo": {"trackingNumber": number}, "error": error}],
        }
    scans = [_fedex_scan(*step) for step in reversed(history)]
    info = {"trackingNumber": number, "trackingNumberUniqueId": f"12030~{number}~FDEG"}
    return {"trackingNumber": number, "trackResults": [{"trackingNumberInfo": info, "scanEvents": scans}]}


def _fedex_scan(milestone: str, at: datetime) -> Any:
    _, code, words = FEDEX[milestone]
    return {
        "date": at.astimezone(timezone(timedelta(hours=-6))).isoformat(timespec="seconds"),
        "eventType": code,
        "eventDescription": words,
        "exceptionCode": "08" if code == "DE" else "",
        "exceptionDescription": "Customer not available or business closed" if code == "DE" else "",
        "scanLocation": {"city": "MEMPHIS", "stateOrProvinceCode": "TN", "postalCode": "38118", "countryCode": "US"},
    }


_ANSWERS: dict[str, Callable[[Sequence[tuple[str, list[Step]]]], Any]] = {
    "dhl_unified": _dhl,
    "ups": _ups,
    "fedex": _fedex,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fakes.carrier_api", description="A carrier that is asked.")
    parser.add_argument("--carrier", choices=sorted(_ANSWERS), default="dhl_unified")
    parser.add_argument("--latency", type=float, default=0.2, help="seconds before each answer")
    parser.add_argument("--limit", default="50/1", help="calls/seconds; more are answered 429")
    given = parser.parse_args()
    calls, seconds = given.limit.split("/")
    limit = (int(calls), float(seconds))
    with CarrierApi(given.carrier, latency=given.latency, limit=limit, everything=True) as api:
        print(api.url, flush=True)
        sys.stdin.readline()
        times = [call.at for call in api.asked if call.status == 200]
        print(json.dumps({"times": times, "throttled": api.statuses()[429], "at_once": api.most_at_once}), flush=True)


if __name__ == "__main__":
    main()
