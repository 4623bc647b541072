"""How a carrier proves that a message is its own: schemes, picked by a carrier's declaration.

| scheme | where the proof is | covers the body |
|---|---|---|
| HmacProof | a header: HMAC of the body, with or without a time | yes |
| UrlHmacProof | a header: HMAC of URL and body | yes |
| StampedHmacProof | one header `t=...,v1=...`: HMAC of time and body | yes |
| StandardWebhooks | the three headers of the Standard Webhooks specification | yes |
| HashProof | a header: plain hash of body and key | yes |
| PublicKeyProof (carriers.proof.public_key) | a header: RSA, ECDSA or Ed25519 signature | yes |
| TokenProof, BasicProof | a secret in a header | no |
| QueryProof, BodyTokenProof, PathProof | a secret in the query, a field of the body, the address | no |
| AddressProof | the sender's IP address; never alone | no |
| AllOf | several of these at once | if one does |
| NotPushed | nowhere: the carrier only answers | - |

Every scheme works on the raw bytes, compares in constant time, fails closed, and accepts any of several live secrets,
so that a secret can be rotated without a rejected message. `prove` is the sending side, for samples and tests.
"""

from carriers.proof.address import AddressProof
from carriers.proof.all_of import AllOf
from carriers.proof.scheme import NotPushed, Proof, RequestProof, prove, verify
from carriers.proof.signature import (
    HashProof,
    HmacProof,
    StampedHmacProof,
    StandardWebhooks,
    UrlHmacProof,
)
from carriers.proof.signed import base64_key, nfkd_key, plain_key, raw_body, stamp_dot_body, url_then_body
from carriers.proof.token import BasicProof, BodyTokenProof, PathProof, QueryProof, TokenProof

__all__ = [
    "AddressProof",
    "AllOf",
    "BasicProof",
    "BodyTokenProof",
    "HashProof",
    "HmacProof",
    "NotPushed",
    "PathProof",
    "Proof",
    "QueryProof",
    "RequestProof",
    "StampedHmacProof",
    "StandardWebhooks",
    "TokenProof",
    "UrlHmacProof",
    "base64_key",
    "nfkd_key",
    "plain_key",
    "prove",
    "raw_body",
    "stamp_dot_body",
    "url_then_body",
    "verify",
]
