"""One question to a carrier over HTTP, and what kind of answer came: nothing here waits for ever or reads for ever."""

import time
from collections.abc import Sequence
from threading import local

import requests
from requests.auth import AuthBase

from carriers.polling import Call, Outcome
from workers.poll.answer import Answer
from workers.poll.source import Source
from workers.poll.tokens import NoToken, Tokens
from workers.retry_after import read_retry_after

CONNECT_SECONDS = 5
READ_SECONDS = 20
"""Between two pieces of an answer."""

WHOLE_SECONDS = 30
"""For all of an answer, however steadily it drips."""


class Asker:
    """Asks one carrier. May be shared between threads; each has a connection of its own."""

    def __init__(self, source: Source, tokens: Tokens, largest_bytes: int) -> None:
        self._source = source
        self._tokens = tokens
        self._largest_bytes = largest_bytes
        self._mine = local()

    def ask(self, numbers: Sequence[str], call_id: str) -> Answer:
        """The answer about those numbers. Raises nothing for what the carrier does, and redis.RedisError."""
        token = ""
        if self._source.poll.token is not None:
            try:
                token = self._tokens.get(self._fetch_token)
            except NoToken as reason:
                return reason.answer
        answer = self.send(self._source.poll.ask(numbers, self._source.credentials, token, call_id))
        if answer.outcome is Outcome.REFUSED and token:
            self._tokens.forget(token)  # it may have been taken back before its time; the next call fetches another
        return answer

    def send(self, call: Call) -> Answer:
        """Sends one request to the carrier's address, follows nothing, and reads at most largest_bytes."""
        try:
            with self._session().request(
                call.method,
                self._source.url + call.path,
                params=dict(call.query),
                headers=dict(call.headers),
                data=dict(call.form) if call.form is not None else None,
                json=call.json,
                timeout=(CONNECT_SECONDS, READ_SECONDS),
                allow_redirects=False,
                stream=True,
            ) as response:
                return self._understand(response)
        except requests.Timeout:
            return Answer(Outcome.AWAY, why="it did not answer in time")
        except requests.RequestException as fault:
            # its text may hold the address, and with it a number
            return Answer(Outcome.AWAY, why=f"it cannot be reached, or hung up ({type(fault).__name__})")

    def _understand(self, response: requests.Response) -> Answer:
        outcome = self._source.poll.judge(response.status_code)
        why = f"it answers {response.status_code}"
        if response.is_redirect:
            why += "; it redirects, which is not followed: check CARRIER_<NAME>_POLL_URL"
        if outcome is not Outcome.ANSWERED:
            return Answer(outcome, retry_after=read_retry_after(response.headers.get("Retry-After", "")), why=why)
        body = self._read(response)
        if body is None:
            return Answer(Outcome.AWAY, why=f"its answer is larger than {self._largest_bytes} bytes, or takes too long")
        return Answer(outcome, body, response.headers.get("Content-Type", ""))

    def _read(self, response: requests.Response) -> bytes | None:
        ends_at = time.monotonic() + WHOLE_SECONDS
        body = bytearray()
        for piece in response.iter_content(65_536):
            body += piece
            if len(body) > self._largest_bytes or time.monotonic() > ends_at:
                return None
        return bytes(body)

    def _fetch_token(self) -> Answer:
        assert self._source.poll.token is not None  # noqa: S101, asked only where there is one
        return self.send(self._source.poll.token(self._source.credentials))

    def _session(self) -> requests.Session:
        if not hasattr(self._mine, "session"):
            self._mine.session = requests.Session()
            self._mine.session.auth = _NoAuth()
        session: requests.Session = self._mine.session
        return session


class _NoAuth(AuthBase):
    """Keeps requests from putting the login of a .netrc file in the place of the carrier's own header."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request
