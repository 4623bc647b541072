"""Carriers that post at a steady pace and send again whatever was not acknowledged."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import requests

from tests.fakes.carriers import Post

SEND_AGAIN_AFTER_SECONDS = 0.25
GIVE_UP_AFTER_SECONDS = 240


@dataclass
class Sent:
    """What became of the posts. Times are those of time.monotonic; unreadable_tries counts every attempt."""

    acknowledged: list[tuple[float, UUID]] = field(default_factory=list)
    not_acknowledged: list[float] = field(default_factory=list)
    given_up: int = 0
    unreadable: set[UUID] = field(default_factory=set)
    unreadable_tries: int = 0

    @property
    def ids(self) -> set[UUID]:
        return {message for _, message in self.acknowledged}

    def acknowledged_between(self, begin: float, end: float) -> int:
        return sum(begin <= at <= end for at, _ in self.acknowledged)


class Sender:
    """Posts all of it to a web server within about `seconds`, from several threads. `run` returns when all is done."""

    def __init__(self, url: str, posts: Sequence[Post], unreadable: frozenset[bytes], threads: int, seconds: float):
        self.sent = Sent()
        self._url = url
        self._left = iter(list(enumerate(posts)))
        self._unreadable = unreadable
        self._threads = threads
        self._pause = seconds / max(1, len(posts))
        self._lock = threading.Lock()

    def run(self) -> Sent:
        began = time.monotonic()
        threads = [threading.Thread(target=self._work, args=(began,), daemon=True) for _ in range(self._threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return self.sent

    def send(self, posts: Sequence[Post]) -> None:
        """Those too, one after another, as soon as can be."""
        with requests.Session() as session:
            for post in posts:
                self._send_until_acknowledged(session, post)

    def _work(self, began: float) -> None:
        with requests.Session() as session:
            while (next_one := self._next()) is not None:
                place, post = next_one
                time.sleep(max(0.0, began + place * self._pause - time.monotonic()))
                self._send_until_acknowledged(session, post)

    def _next(self) -> tuple[int, Post] | None:
        with self._lock:
            return next(self._left, None)

    def _send_until_acknowledged(self, session: requests.Session, post: Post) -> None:
        deadline = time.monotonic() + GIVE_UP_AFTER_SECONDS
        while time.monotonic() < deadline:
            if post.body in self._unreadable:
                with self._lock:
                    self.sent.unreadable_tries += 1
            message = self._send(session, post)
            if message is not None:
                self._note(post, message)
                return
            self.sent.not_acknowledged.append(time.monotonic())
            time.sleep(SEND_AGAIN_AFTER_SECONDS)
        with self._lock:
            self.sent.given_up += 1

    def _send(self, session: requests.Session, post: Post) -> UUID | None:
        """The message's id, once the whole answer has arrived."""
        try:
            answer = session.post(f"{self._url}/in/{post.carrier}", data=post.body, headers=post.headers, timeout=15)
            return UUID(answer.json()["id"]) if answer.ok else None
        except requests.RequestException:
            return None

    def _note(self, post: Post, message: UUID) -> None:
        with self._lock:
            self.sent.acknowledged.append((time.monotonic(), message))
            if post.body in self._unreadable:
                self.sent.unreadable.add(message)
