"""The road to Odoo, real or stand-in, with its bad days: a proxy that is slow, gives up, or lets nobody through."""

import json
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import requests

from config.settings import Settings

_PASSED_ON = ("Authorization", "X-Odoo-Database", "Content-Type", "X-Request-Id")


class Road:
    """A proxy on 127.0.0.1, from `with` on, before the Odoo of those settings; `settings` lead through it.

    Switches: away answers 503 and asks Odoo nothing; slow_seconds waits before each answer; most_rows answers 504 to a
    call of more rows, sent or received, once Odoo has done it. Told: asked holds path and body of each call, timed_out
    counts, most_at_once says how many were under way together.
    """

    def __init__(self, settings: Settings) -> None:
        self.away, self.slow_seconds, self.most_rows = False, 0.0, 1_000_000
        self.timed_out = self.most_at_once = self._under_way = 0
        self.asked: list[bytes] = []
        self.odoo_url = settings.odoo_url
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.road = self
        self.settings = replace(settings, odoo_url=f"http://127.0.0.1:{self._server.server_port}")

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def pass_on(self, verb: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Status and body of what is answered."""
        with self.lock:
            self.asked.append(path.encode() + body)
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
        try:
            if self.away:
                return 503, b"<h1>Not now</h1>"
            time.sleep(self.slow_seconds)
            answer = requests.request(verb, self.odoo_url + path, headers=headers, data=body, timeout=60)
        finally:
            with self.lock:
                self._under_way -= 1
        if body and _rows(json.loads(body), _document(answer)) > self.most_rows:
            self.timed_out += 1
            return 504, b"<h1>Gateway Time-out</h1>"
        return answer.status_code, answer.content


def _document(answer: requests.Response) -> Any:
    document = answer.json()
    return document["result"] if isinstance(document, dict) and "result" in document else document


def _rows(question: Any, result: Any) -> int:
    """The longest list in what is sent to Odoo by name, or in what comes back."""
    arguments = [question, *(question.get("params", {}).get("args") or [])] if isinstance(question, dict) else []
    lists = [
        a[name] for a in arguments if isinstance(a, dict) for name in ("ids", "data") if isinstance(a.get(name), list)
    ]
    lists += [ids for a in arguments if isinstance(a, list) for ids in a if isinstance(ids, list)]
    return max((len(rows) for rows in [*lists, result] if isinstance(rows, list)), default=0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    road: Road


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._pass_on("GET")

    def do_POST(self) -> None:
        self._pass_on("POST")

    def _pass_on(self, verb: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name: self.headers[name] for name in _PASSED_ON if name in self.headers}
        status, answer = self.server.road.pass_on(verb, self.path, headers, body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.wfile.flush()
