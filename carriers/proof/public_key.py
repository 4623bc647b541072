"""Signatures that are checked with the carrier's public key: RSA, ECDSA, Ed25519.

The key is configured, not fetched: a door that asks somebody else for keys can be closed, or opened, by them. The
secrets of such a carrier are its public keys, PEM in one line or several, or Base64 of the DER form.
"""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from carriers.proof.compare import age_in_words
from carriers.proof.signature import HeaderSignature
from shipments.errors import SetupFault, SignatureMismatch

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_SMALLEST_RSA_BITS = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKeyProof(HeaderSignature):
    """A signature in a header, Base64 or hex. The kind of key decides the scheme.

    RSA with PKCS #1 v1.5 (or PSS where pss is set), ECDSA with the DER form, Ed25519. The other fields are those of
    HeaderSignature. A key that cannot be read, or an RSA key under 2048 bits, proves nothing.
    """

    pss: bool = False

    @property
    def words(self) -> str:
        return f"signature by the carrier's key in {self.header}{age_in_words(self.max_age)}"

    def _check(self, candidates: Iterable[bytes], signed: bytes, secrets: Sequence[str]) -> None:
        # nothing here is secret: a signature may be checked key by key until one fits
        keys = [key for key in map(_public_key, secrets) if key]
        if not any(self._is_signed(key, candidate, signed) for candidate in candidates for key in keys):
            raise SignatureMismatch("no configured key made this signature")

    def _sign(self, secret: str, signed: bytes) -> bytes:
        """secret: the private key in PEM. Raises SetupFault for anything else."""
        try:
            key = serialization.load_pem_private_key(secret.encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise SetupFault(
                ["only the carrier can sign this; to try it, give a private key (PEM) as secret"]
            ) from None
        if isinstance(key, rsa.RSAPrivateKey):
            return key.sign(signed, self._padding(), self._hash())
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return key.sign(signed, ec.ECDSA(self._hash()))
        if isinstance(key, ed25519.Ed25519PrivateKey):
            return key.sign(signed)
        raise SetupFault([f"a key of the kind {type(key).__name__} signs nothing here"])

    def _is_signed(self, key: PublicKey, signature: bytes, signed: bytes) -> bool:
        try:
            if isinstance(key, rsa.RSAPublicKey):
                key.verify(signature, signed, self._padding(), self._hash())
            elif isinstance(key, ec.EllipticCurvePublicKey):
                key.verify(signature, signed, ec.ECDSA(self._hash()))
            else:
                key.verify(signature, signed)
        except InvalidSignature:
            return False
        return True

    def _hash(self) -> hashes.HashAlgorithm:
        return _HASHES[self.algorithm]

    def _padding(self) -> padding.AsymmetricPadding:
        if self.pss:
            return padding.PSS(padding.MGF1(self._hash()), padding.PSS.DIGEST_LENGTH)
        return padding.PKCS1v15()


@lru_cache(maxsize=64)
def _public_key(secret: str) -> PublicKey | None:
    """The key that the text is; None if it is none that may be used."""
    try:
        if "BEGIN" in secret:
            # a setting is one line: \n may stand in it as two characters
            key = serialization.load_pem_public_key(secret.replace("\\n", "\n").encode())
        else:
            key = serialization.load_der_public_key(base64.b64decode(secret, validate=True))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if isinstance(key, rsa.RSAPublicKey):
        return key if key.key_size >= _SMALLEST_RSA_BITS else None
    return key if isinstance(key, ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey) else None
