"""A carrier's OAuth token: fetched once, kept sealed in Redis for all processes until shortly before it runs out.

Token endpoints have limits of their own and count failed logins, so only one process fetches at a time.
"""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

import redis

from carriers.polling import Outcome
from shipments.store.seal import Seal, SealBroken
from workers.poll.answer import Answer

EARLY = timedelta(minutes=1)
LONGEST_LIFE = timedelta(hours=12)
USUAL_LIFE = timedelta(minutes=10)
"""Where the carrier does not say how long a token lives."""

_FETCHING_SECONDS = 40
"""Longer than fetching may take; a fetcher that died blocks the others for no longer."""


class NoToken(Exception):
    """There is no token. `answer` is what to make of it, as of any other answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.why)
        self.answer = answer


class Tokens:
    """The token of one carrier and account."""

    def __init__(self, client: redis.Redis, seal: Seal, name: str, account: str) -> None:
        self._client = client
        self._seal = seal
        self._key = f"milepost:poll:{name}:{account}:token"
        self._id = uuid5(NAMESPACE_URL, self._key)

    def get(self, fetch: Callable[[], Answer]) -> str:
        """The token; fetched if there is none. Raises NoToken."""
        ends_at = time.monotonic() + _FETCHING_SECONDS
        while not (token := self._kept()):
            if self._client.set(f"{self._key}:fetching", 1, nx=True, ex=_FETCHING_SECONDS):
                try:
                    return self._kept() or self._keep(fetch())  # who fetched before us may have just ended
                finally:
                    self._client.delete(f"{self._key}:fetching")
            if time.monotonic() > ends_at:
                raise NoToken(Answer(Outcome.AWAY, why="another process fetches a token and does not come to an end"))
            time.sleep(0.05)
        return token

    def forget(self, token: str) -> None:
        """The carrier does not take it any more. One that somebody else has fetched since stays."""
        if self._kept() == token:
            self._client.delete(self._key)

    def _kept(self) -> str:
        sealed = self._client.get(self._key)
        if not isinstance(sealed, bytes):
            return ""
        try:
            body, _ = self._seal.open(self._id, sealed)
        except SealBroken:
            return ""
        return body.decode()

    def _keep(self, answer: Answer) -> str:
        token, life = _read(answer)
        sealed = self._seal.close(self._id, token.encode(), {})
        self._client.set(self._key, sealed, px=max(life - EARLY, life / 2))
        return token


def _read(answer: Answer) -> tuple[str, timedelta]:
    """The token in an answer and how long it lives (RFC 6749, 5.1; UPS writes expires_in as text)."""
    if answer.outcome is not Outcome.ANSWERED:
        raise NoToken(_about_token(answer, answer.outcome))
    try:
        document = json.loads(answer.body)
        token, told = str(document["access_token"]), document.get("expires_in")
        life = timedelta(seconds=float(told)) if told else USUAL_LIFE
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise NoToken(_about_token(answer, Outcome.AWAY, "its answer holds no token")) from None
    if not token or not timedelta(0) < life:
        raise NoToken(_about_token(answer, Outcome.AWAY, "its answer holds no token"))
    return token, min(life, LONGEST_LIFE)


_SAID_OF_US = {Outcome.NOT_FOUND, Outcome.BAD_NUMBER}
"""No number was asked about: who cannot log in is refused, with whichever status."""


def _about_token(answer: Answer, outcome: Outcome, why: str = "") -> Answer:
    outcome = Outcome.REFUSED if outcome in _SAID_OF_US else outcome
    return Answer(outcome, retry_after=answer.retry_after, why=f"asked for a token, {why or answer.why}")
