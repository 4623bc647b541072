"""Odoo's automation rule rings here when a tracking number was typed in, so that its parcel need not wait for the pull.

Authentication: a secret word at the end of the address, ODOO_WEBHOOK_WORD, since Odoo signs nothing.

A ring says nothing and is believed nothing: its body is thrown away, and what changed is read from Odoo by correlate.
So the worst that somebody who knows the word can do is to have Odoo asked for its changes once in GAP_SECONDS.
"""

import hmac
import logging
import threading
import time
from collections.abc import Callable, Sequence

from flask import Blueprint, Response, request

from app.problem import Problem
from app.receiver.body import read_body
from config.metrics import ODOO_WOKEN

log = logging.getLogger(__name__)

GAP_SECONDS = 2.0
"""Rings that come sooner after each other share a wake-up: a thousand numbers imported at once are one pull or two."""

MOST_BYTES = 65_536


class Bell:
    """Wakes once for the rings of GAP_SECONDS: the first at once, those that come meanwhile after it, none is lost."""

    def __init__(self, wake: Callable[[], object], gap_seconds: float = GAP_SECONDS) -> None:
        self._wake = wake
        self._gap_seconds = gap_seconds
        self._rung = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def ring(self) -> None:
        """Returns at once, and never raises."""
        self._rung.set()
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="odoo-bell", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            self._rung.wait()
            self._rung.clear()
            try:
                self._wake()
            except Exception:
                log.exception("correlate could not be woken, beat will", extra={"stage": "correlate"})
            time.sleep(self._gap_seconds)


def routes(words: Sequence[str], bell: Bell) -> Blueprint:
    """`POST /odoo/changed/<word>`. Without words there is nothing at that address."""
    blueprint = Blueprint("odoo", __name__)

    @blueprint.post("/odoo/changed/<word>")
    def take_ring(word: str) -> tuple[Response, int]:
        read_body(request.environ, MOST_BYTES)
        if not _is_known(word, words):
            ODOO_WOKEN.labels("unknown-word").inc()
            raise Problem(404, "not-found", "Nothing is here.")
        bell.ring()
        ODOO_WOKEN.labels("accepted").inc()
        return Response('{"woken":"correlate"}', content_type="application/json"), 202

    return blueprint


def _is_known(word: str, words: Sequence[str]) -> bool:
    """All are compared, each in the same time, so that neither tells how much of a guess is right."""
    right = [hmac.compare_digest(word.encode(), known.encode()) for known in words]
    return any(right)
