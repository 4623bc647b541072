"""How a carrier is asked: what its declaration says, and how an answer is told apart. No request is sent from here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `calls` in any stretch of time as long as `per`.

    burst: how many of them may go at once after a rest; the others are spread evenly, so that the whole never exceeds
    `calls`, whenever the carrier starts to count. One for limits of seconds, some for those of a day.
    """

    calls: int
    per: timedelta
    burst: int = 1

    def __post_init__(self) -> None:
        if not (0 < self.burst <= self.calls and self.per > timedelta(0)):
            raise ValueError(f"{self} allows nothing")


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the carrier gave us to ask with; never printed. Empty where there is none."""

    api_key: str = field(default="", repr=False)
    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """An HTTP request. path: below the carrier's address. form and json: the body, at most one of them."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    json: object = None


class Outcome(StrEnum):
    """What an answer is, before anybody reads its body."""

    ANSWERED = "answered"
    NOT_FOUND = "not_found"  # the carrier knows none of the numbers: no trouble, asked again later
    BAD_NUMBER = "bad_number"  # it refuses at least one of the numbers
    THROTTLED = "throttled"  # too many calls
    REFUSED = "refused"  # it refuses us, whatever we ask: a person has to look at the credentials
    AWAY = "away"  # it cannot answer now


def judge_by_status(status: int) -> Outcome:
    """What the HTTP status says, for carriers that use it as it is meant."""
    named = {404: Outcome.NOT_FOUND, 400: Outcome.BAD_NUMBER, 422: Outcome.BAD_NUMBER, 429: Outcome.THROTTLED}
    if 200 <= status < 300:
        return Outcome.ANSWERED
    return named.get(status) or (Outcome.REFUSED if 300 <= status < 500 and status != 408 else Outcome.AWAY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Poll:
    """How this carrier is asked where parcels stand.

    url: the carrier's address; CARRIER_<NAME>_POLL_URL names another one, such as its sandbox.
    limits: as the carrier documents them (say where); CARRIER_<NAME>_POLL_LIMITS names those of another contract.
    needs: the credentials it takes, by their names in Credentials.
    ask: the request about some numbers (at most numbers_per_call), given the credentials, the token (empty where none
        is fetched) and an id of ours, 32 hex digits, that is new for each call. Pure.
    token: the request that fetches a token by OAuth 2 client credentials (RFC 6749, 4.4), where one is needed.
    judge: what an answer's HTTP status means.
    """

    url: str
    limits: tuple[Limit, ...]
    needs: tuple[str, ...]
    ask: Callable[[Sequence[str], Credentials, str, str], Call]
    numbers_per_call: int = 1
    token: Callable[[Credentials], Call] | None = None
    judge: Callable[[int], Outcome] = judge_by_status

    def missing(self, credentials: Credentials) -> tuple[str, ...]:
        """The names of the credentials that it takes and that are not set."""
        return tuple(name for name in self.needs if not getattr(credentials, name))
