"""Letting in only certain networks."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv6Address, ip_address, ip_network

from carriers.proof.scheme import RequestProof
from carriers.request import Network, Request
from shipments.errors import SignatureMismatch, SignatureMissing


@dataclass(frozen=True, slots=True)
class AddressProof(RequestProof):
    """The sender's IP address is in one of the networks (CIDR). Says who may call, not who did: join it with another.

    networks: those the carrier publishes. CARRIER_<NAME>_ADDRESSES replaces them; with neither, nobody is let in.
    """

    networks: tuple[str, ...] = ()
    headers = ()
    covers_body = False
    needs_secret = False
    max_age = None

    @property
    def words(self) -> str:
        return f"address in {', '.join(self.networks) or 'CARRIER_<NAME>_ADDRESSES'}"

    def verify_request(self, request: Request, secrets: Sequence[str]) -> None:
        try:
            address = ip_address(request.address.partition("%")[0])
        except ValueError:
            raise SignatureMissing("the sender's address is not known") from None
        if isinstance(address, IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        if not any(address in network for network in self._allowed(request)):
            raise SignatureMismatch("the sender's address is not in an allowed network")

    def prove_request(self, request: Request, secret: str) -> Request:
        allowed = self._allowed(request)
        return replace(request, address=str(next(iter(allowed[0])))) if allowed else request

    def _allowed(self, request: Request) -> tuple[Network, ...]:
        return request.networks or tuple(map(ip_network, self.networks))
