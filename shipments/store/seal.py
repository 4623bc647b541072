"""Sealing what arrived, so that neither Redis nor the database nor a backup holds a customer's address in the clear.

AES-256-GCM. A sealed message is  1 byte length of the key id | key id | 12 bytes nonce | ciphertext with tag.
The message id is bound in as associated data, so that a body cannot be passed off as another message's.
"""

import json
import os
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from shipments.errors import Permanent

_NONCE_BYTES = 12


class SealBroken(Permanent):
    """A sealed message cannot be opened: its key is not among the settings, or the bytes were changed."""


class Seal:
    """Seals with the first key, opens with any: so that keys can be rotated.

    keys: (id, 32 bytes) pairs, as in settings.secret_key; at least one.
    """

    def __init__(self, keys: Sequence[tuple[str, bytes]]) -> None:
        if not keys:
            raise SealBroken(
                "MILEPOST_SECRET_KEY is not set, so nothing can be sealed; make a key with: milepost new-key"
            )
        self._ciphers = {name.encode(): AESGCM(key) for name, key in keys}
        self._first = keys[0][0].encode()

    def close(self, message_id: UUID, body: bytes, headers: Mapping[str, str]) -> bytes:
        """The body and the headers that prove it, sealed together (the headers may carry the secret itself)."""
        name, nonce = self._first, os.urandom(_NONCE_BYTES)
        head = _to_json(headers)
        plain = len(head).to_bytes(4, "big") + head + body
        return bytes([len(name)]) + name + nonce + self._ciphers[name].encrypt(nonce, plain, message_id.bytes)

    def open(self, message_id: UUID, sealed: bytes) -> tuple[bytes, dict[str, str]]:
        """The body and headers that were sealed under this message id. Raises SealBroken."""
        name_end = 1 + sealed[0] if sealed else 0
        nonce_end = name_end + _NONCE_BYTES
        cipher = self._ciphers.get(sealed[1:name_end])
        if cipher is None:
            raise SealBroken(f"the key {sealed[1:name_end]!r} is not in MILEPOST_SECRET_KEY; add it back, then replay")
        try:
            plain = cipher.decrypt(sealed[name_end:nonce_end], sealed[nonce_end:], message_id.bytes)
        except (InvalidTag, ValueError):
            raise SealBroken("the sealed bytes do not belong to this message, or were changed") from None
        head_end = 4 + int.from_bytes(plain[:4], "big")
        return plain[head_end:], _from_json(plain[4:head_end])


def _to_json(headers: Mapping[str, str]) -> bytes:
    try:
        return msgspec.json.encode(headers)
    except UnicodeEncodeError:  # what is no UTF-8 is kept as surrogates, and these only the standard library takes
        return json.dumps(dict(headers)).encode()


def _from_json(head: bytes) -> dict[str, str]:
    try:
        headers: dict[str, str] = msgspec.json.decode(head)
    except msgspec.DecodeError:
        headers = json.loads(head)
    return headers
