"""Waking workers beside the request: a broker that does not answer keeps its caller for seconds, a carrier gives up."""

import logging
import queue
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)

_MOST_WAITING = 100
"""Wake-ups beyond these are dropped: so many say no more than a few, and beat wakes the workers anyway."""


class Waker:
    """Calls `wake` with a lane in a thread of its own, which begins with the first call and ends with the process."""

    def __init__(self, wake: Callable[[str], object]) -> None:
        self._wake = wake
        self._lanes: queue.Queue[str] = queue.Queue(_MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def __call__(self, lane: str) -> None:
        """Returns at once, and never raises."""
        self._begin()
        try:
            self._lanes.put_nowait(lane)
        except queue.Full:
            log.debug("enough workers are being woken", extra={"stage": "receive"})

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="waker", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            lane = self._lanes.get()
            try:
                self._wake(lane)
            except Exception:
                log.exception("no worker could be woken, beat will", extra={"stage": "receive"})
