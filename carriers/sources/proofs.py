"""The proof schemes by the names that a description uses."""

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from carriers.proof import (
    AddressProof,
    AllOf,
    BasicProof,
    BodyTokenProof,
    HashProof,
    HmacProof,
    PathProof,
    Proof,
    QueryProof,
    StampedHmacProof,
    StandardWebhooks,
    TokenProof,
    base64_key,
    plain_key,
    raw_body,
    stamp_dot_body,
)

_SCHEMES: dict[str, tuple[str, ...]] = {
    "hmac": ("header", "encoding", "algorithm", "prefix", "key", "timestamp_header", "tolerance_seconds"),
    "stamped_hmac": ("header", "encoding", "algorithm", "tolerance_seconds"),
    "standard_webhooks": ("prefix", "tolerance_seconds"),
    "hash": ("header", "algorithm"),
    "token": ("header", "prefix"),
    "basic": (),
    "query": ("name",),
    "body": ("path",),
    "path": (),
}
_CHOICES = {"encoding": ("hex", "base64"), "algorithm": ("sha1", "sha256", "sha512"), "key": ("plain", "base64")}


def read_proof(said: Any) -> Proof:
    """The scheme that a [proof] table names. Raises ValueError, `key: what`, for the first fault.

    addresses, a list of networks, joins any of them with the sender's address; `path` and `query` ask for it, since
    addresses of the web are written into logs.
    """
    if not isinstance(said, dict):
        raise ValueError("scheme: [proof] is a table")
    scheme = said.get("scheme")
    if scheme not in _SCHEMES:
        raise ValueError(f"scheme: is one of {', '.join(_SCHEMES)}")
    for key in said:
        if key not in (*_SCHEMES[scheme], "scheme", "addresses"):
            raise ValueError(f"{key}: {scheme} has no {key}; it has {', '.join(_SCHEMES[scheme]) or 'nothing'}")
    _check_values(said)
    proof = _make(scheme, said)
    if "addresses" not in said:
        if scheme == "path":
            raise ValueError("scheme: path needs addresses = [...] beside it, or [] to name them in the settings")
        return proof
    return AllOf((AddressProof(tuple(_networks(said["addresses"]))), proof))


def _check_values(said: dict[str, Any]) -> None:
    for key, value in said.items():
        if key in _CHOICES and value not in _CHOICES[key]:
            raise ValueError(f"{key}: is one of {', '.join(_CHOICES[key])}")
        if key == "tolerance_seconds":
            if type(value) is not int or not 0 < value <= 86_400:
                raise ValueError(f"{key}: is a whole number of seconds, a day at most")
        elif key != "addresses" and not (isinstance(value, str) and value):
            raise ValueError(f"{key}: is not a text")


def _make(scheme: str, said: dict[str, Any]) -> Proof:
    header = str(said.get("header", "")).lower()
    if "header" in _SCHEMES[scheme] and not header:
        raise ValueError(f"header: {scheme} needs the name of the header")
    encodings, algorithm = (said.get("encoding", "hex"),), said.get("algorithm", "sha256")
    tolerance = timedelta(seconds=said.get("tolerance_seconds", 300))
    match scheme:
        case "hmac":
            stamp = str(said["timestamp_header"]).lower() if "timestamp_header" in said else None
            return HmacProof(
                header=header,
                encodings=encodings,
                algorithm=algorithm,
                prefix=said.get("prefix", ""),
                timestamp_header=stamp,
                tolerance=tolerance,
                signs=stamp_dot_body if stamp else raw_body,
                key=base64_key if said.get("key") == "base64" else plain_key,
            )
        case "stamped_hmac":
            return StampedHmacProof(header=header, encodings=encodings, algorithm=algorithm, tolerance=tolerance)
        case "standard_webhooks":
            return StandardWebhooks(prefix=str(said.get("prefix", "webhook")).lower(), tolerance=tolerance)
        case "hash":
            return HashProof(header=header, algorithm=algorithm)
        case "token":
            return TokenProof(header=header, prefix=said.get("prefix", ""))
        case "body":
            return BodyTokenProof(path=tuple(str(said.get("path", "token")).split(".")))
        case "query":
            return QueryProof(name=said.get("name", "token"))
        case "path":
            return PathProof()
    return BasicProof()


def _networks(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueError('addresses: is a list of networks such as ["192.0.2.0/24"]')
    for network in value:
        try:
            ip_network(network)
        except ValueError as fault:
            raise ValueError(f"addresses: {fault}") from None
    return value
