"""A carrier that can be asked here: its declaration, with what the settings say about it."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from carriers.base import Carrier
from carriers.polling import Credentials, Limit, Poll
from carriers.registry import all_carriers, find_carrier
from config.settings import Settings

_LONG = timedelta(hours=1)
_BURST_SHARE = 12
"""Of a limit that counts for longer than an hour, a twelfth may go at once; of a shorter one, nothing."""


@dataclass(frozen=True, slots=True)
class Source:
    """A carrier with its credentials, address and limits. account: tells credentials apart without telling them."""

    carrier: Carrier
    poll: Poll
    credentials: Credentials
    url: str
    limits: tuple[Limit, ...]
    account: str

    @property
    def name(self) -> str:
        return self.carrier.name

    @property
    def calls_per_second(self) -> float:
        """The fastest that the limits allow for a moment."""
        return min(limit.calls / limit.per.total_seconds() for limit in self.limits if limit.burst == 1)


def find_source(name: str, settings: Settings) -> Source | None:
    """The carrier of that name, if it declares how it is asked and its credentials are set."""
    carrier = find_carrier(name)
    if carrier is None or carrier.poll is None:
        return None
    credentials = Credentials(**settings.credentials_of(name))
    if carrier.poll.missing(credentials):
        return None
    told = "\n".join((name, credentials.api_key, credentials.client_id))
    limits = tuple(_limit(*limit) for limit in settings.poll_limits_of(name)) or carrier.poll.limits
    if all(limit.burst > 1 for limit in limits):
        limits = (*limits, Limit(1, timedelta(seconds=1)))
    url = settings.poll_url_of(name) or carrier.poll.url
    return Source(carrier, carrier.poll, credentials, url, limits, hashlib.sha256(told.encode()).hexdigest()[:12])


def find_sources(settings: Settings) -> list[Source]:
    """Every carrier that can be asked here."""
    return [source for carrier in all_carriers() if (source := find_source(carrier.name, settings))]


def _limit(calls: int, seconds: float) -> Limit:
    per = timedelta(seconds=seconds)
    return Limit(calls, per, max(1, calls // _BURST_SHARE) if per > _LONG else 1)
