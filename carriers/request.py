"""A request at the door, as far as a carrier's declaration may look at it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request (header names in lower case).

    query: of a name that stands twice, the last value. word: the secret word at the end of the address, for carriers
    whose proof stands there. url: the address as the carrier called it, with its query. address: the sender's IP
    address; empty if it is not known. networks: those the operator allows for it; empty for the carrier's own.
    """

    method: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    received_at: datetime
    word: str = ""
    url: str = ""
    address: str = ""
    networks: tuple[Network, ...] = field(default=())
