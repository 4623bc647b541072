"""Several proofs at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from carriers.proof.scheme import Proof, RequestProof, prove, verify
from carriers.request import Request
from shipments.errors import Refused, SignatureMismatch


@dataclass(frozen=True, slots=True)
class AllOf(RequestProof):
    """Every part has to hold, all by the same live secret.

    Where several parts need a secret, one live secret is a word for each of them in their order, with blanks between:
    `path-word hmac-key`. A part never takes the word of another, so a word that leaks from a log signs nothing.
    """

    parts: tuple[Proof, ...]

    @property
    def headers(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for part in self.parts for name in part.headers))

    @property
    def covers_body(self) -> bool:
        return any(part.covers_body for part in self.parts)

    @property
    def needs_secret(self) -> bool:
        return any(part.needs_secret for part in self.parts)

    @property
    def max_age(self) -> timedelta | None:
        return min((part.max_age for part in self.parts if part.max_age), default=None)

    @property
    def in_path(self) -> bool:
        return any(isinstance(part, RequestProof) and part.in_path for part in self.parts)

    @property
    def words(self) -> str:
        return " and ".join(part.words for part in self.parts)

    def verify_request(self, request: Request, secrets: Sequence[str]) -> None:
        if not self.parts:
            raise SignatureMismatch("nothing is asked as proof, so nothing is proven")
        refusals = [self._refusal(request, secret) for secret in (secrets if self.needs_secret else [""])]
        if None not in refusals:
            raise next(filter(None, refusals), SignatureMismatch("there is no live secret"))

    def prove_request(self, request: Request, secret: str) -> Request:
        for part, word in zip(self.parts, self._words(secret) or (), strict=False):
            request = prove(part, request, word)
        return request

    def _refusal(self, request: Request, secret: str) -> Refused | None:
        """Why this secret does not prove the request; None if it does."""
        words = self._words(secret)
        if words is None:
            return SignatureMismatch("a live secret has not one word for each part of the proof")
        refused: Refused | None = None
        for part, word in zip(self.parts, words, strict=True):
            try:
                verify(part, request, [word] if part.needs_secret else [])
            except Refused as refusal:
                refused = refused or refusal
        return refused

    def _words(self, secret: str) -> list[str] | None:
        """The word of each part ("" where it needs none); None if there are too few or too many."""
        needing = sum(part.needs_secret for part in self.parts)
        given = secret.split() if needing > 1 else [secret]
        if needing and len(given) != needing:
            return None
        words = iter(given)
        return [next(words) if part.needs_secret else "" for part in self.parts]
