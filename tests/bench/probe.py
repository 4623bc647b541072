"""How long a live webhook takes until it is committed, seen from outside: posted, and then looked for in the store."""

import http.client
import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import psycopg

from tests.bench.sides import Milepost

LOOK_EVERY_SECONDS = 0.01
GIVE_UP_SECONDS = 60

# With everything that follows from it: what is put off is not done.
STORED = """
    select id from messages m where id = any(%s) and state <> 'received' and not exists (
        select from unsettled u join events e on e.key = u.event_key where e.message_id = m.id)
"""


@dataclass(frozen=True, slots=True)
class Waits:
    """Seconds from when each webhook was due to be posted until it was seen in the store; lost: those never seen."""

    seconds: Sequence[float]
    lost: int = 0

    def at(self, share: float) -> float:
        """The wait that this share of them does not exceed; a lost one waited for ever."""
        ordered = [*sorted(self.seconds), *[float("inf")] * self.lost]
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def probe(milepost: Milepost, posts: Sequence[bytes], rate: float) -> Waits:
    """Posts whole requests, `rate` a second, and looks for each by the id it was answered with."""
    waiting: dict[UUID, float] = {}
    seconds: list[float] = []
    left, began = deque(posts), time.monotonic()
    ends_at = began + len(posts) / rate + GIVE_UP_SECONDS
    sender = http.client.HTTPConnection("127.0.0.1", milepost.port, timeout=30)
    with psycopg.connect(milepost.database_url, autocommit=True) as store:
        while (left or waiting) and time.monotonic() < ends_at:
            due = began + (len(posts) - len(left)) / rate
            if left and time.monotonic() >= due:
                waiting[_post(sender, left.popleft())] = due
                continue
            for (found,) in store.execute(STORED, [list(waiting)]).fetchall():
                seconds.append(time.monotonic() - waiting.pop(found))
            time.sleep(max(0.0, min(LOOK_EVERY_SECONDS, due - time.monotonic() if left else LOOK_EVERY_SECONDS)))
    sender.close()
    return Waits(seconds, len(waiting) + len(left))


def _post(sender: http.client.HTTPConnection, request: bytes) -> UUID:
    """Its id. Raises where it is not accepted: what is measured would not be what is meant."""
    head, _, body = request.partition(b"\r\n\r\n")
    line, *headers = head.decode().split("\r\n")
    named = dict(header.split(": ", 1) for header in headers)
    sender.request("POST", line.split(" ")[1], body, named)
    answer = sender.getresponse()
    said = answer.read()
    if answer.status != http.client.ACCEPTED:
        raise RuntimeError(f"a webhook was answered with {answer.status}: {said[:200]!r}")
    return UUID(json.loads(said)["id"])
