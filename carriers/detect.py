"""Guessing the carrier from a tracking number, for sources that do not say: by form and check digit.

A number does not tell its carrier for certain (partners print each other's forms, plain digits fit several), so a guess
is a suggestion: it is recorded as one, and a person or a source that knows better wins. No kept library does this;
the check digits are those of the public label specifications named beside each rule.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shipments.check_digits import mod10, mod37

CERTAIN, LIKELY, POSSIBLE = 0.95, 0.6, 0.3
"""How sure a guess is, to order by: a form of its own with its check digit; a shared form with one; a form alone."""


@dataclass(frozen=True, slots=True)
class Guess:
    """A carrier the number may be of, by the name its folder has or would have, and why."""

    carrier: str
    confidence: float
    because: str


def detect(number: str) -> tuple[Guess, ...]:
    """The carriers the number may be of, the likeliest first; empty if no rule fits. Blanks and hyphens are ignored."""
    plain = re.sub(r"[\s-]", "", number).upper()
    if not plain.isascii() or not 8 <= len(plain) <= 40:
        return ()
    found: dict[str, Guess] = {}
    for rule in _RULES:
        match = rule.form.fullmatch(plain)
        if match and rule.holds(match[1 if rule.form.groups else 0]):
            guess = rule.guess(plain)
            if guess.carrier not in found or found[guess.carrier].confidence < guess.confidence:
                found[guess.carrier] = guess
    return tuple(sorted(found.values(), key=lambda guess: -guess.confidence))


def likeliest(guesses: Sequence[Guess]) -> Guess | None:
    """The first of what `detect` found, if it may be taken: not a form alone, and no other is as likely."""
    if not guesses or guesses[0].confidence < LIKELY:
        return None
    return None if len(guesses) > 1 and guesses[1].confidence == guesses[0].confidence else guesses[0]


# ---- check digits


def _ups(number: str) -> bool:
    """UPS 1Z: letters count as digits (A is 2), weights 1 and 2 from the left."""
    values = [int(c) if c.isdigit() else (ord(c) - 63) % 10 for c in number[2:]]
    total = sum(v * (2 if place % 2 else 1) for place, v in enumerate(values[:-1]))
    return -total % 10 == values[-1]


def _s10(number: str) -> bool:
    """UPU S10: weights 8 6 4 2 3 5 9 7; eleven less the remainder, with 10 written as 0 and 11 as 5."""
    total = sum(int(d) * w for d, w in zip(number[2:10], (8, 6, 4, 2, 3, 5, 9, 7), strict=True))
    return {10: 0, 11: 5}.get(11 - total % 11, 11 - total % 11) == int(number[10])


def _fedex_express(digits: str) -> bool:
    """FedEx Express: weights 3 1 7 from the left, modulo 11, with 10 written as 0."""
    total = sum(int(d) * (3, 1, 7)[place % 3] for place, d in enumerate(digits[:-1]))
    return total % 11 % 10 == int(digits[-1])


def _mod7(digits: str) -> bool:
    """DHL Express waybills and air waybills: the number before the last digit, modulo 7."""
    return int(digits[:-1]) % 7 == int(digits[-1])


def _container(number: str) -> bool:
    """ISO 6346: letters count 10 to 38 without multiples of 11, weights are powers of two, modulo 11."""
    letters = [10 + n + (n + 9) // 10 for n in range(26)]
    values = [int(c) if c.isdigit() else letters[ord(c) - 65] for c in number[:10]]
    return sum(v << place for place, v in enumerate(values)) % 11 % 10 == int(number[10])


def _anything(_: str) -> bool:
    return True


# ---- forms


@dataclass(frozen=True, slots=True)
class _Rule:
    """A form with its check. What the first group matches is checked, or all of it. No carrier: it is in the number."""

    form: re.Pattern[str]
    holds: Callable[[str], bool]
    carrier: str
    confidence: float
    because: str

    def guess(self, number: str) -> Guess:
        carrier = self.carrier or _POSTS.get(number[-2:], "upu_emsevt")
        return Guess(carrier, self.confidence, self.because)


# The operator behind the country of an S10 number; for the other countries the exchange between posts itself.
_POSTS = {
    "AU": "australiapost", "BE": "bpost", "CA": "canadapost", "DE": "dhl_parcel_de", "DK": "postnord", "ES": "correos",
    "FR": "laposte", "GB": "royalmail", "NL": "postnl", "SE": "postnord", "US": "usps",
}  # fmt: skip


def _rule(form: str, holds: Callable[[str], bool], carrier: str, confidence: float, because: str) -> _Rule:
    return _Rule(re.compile(form), holds, carrier, confidence, because)


_RULES = (
    _rule(r"1Z[0-9A-Z]{15}\d", _ups, "ups", CERTAIN, "1Z with its check digit"),
    _rule(r"1Z[0-9A-Z]{16}", _anything, "ups", POSSIBLE, "1Z, with a check digit that is wrong"),
    _rule(r"[A-Z]{2}\d{9}[A-Z]{2}", _s10, "", CERTAIN, "UPU S10 with its check digit"),
    _rule(
        r"(?:420(?:\d{5}|\d{9}))?(9[1-5]\d{20})", mod10, "usps", CERTAIN, "USPS package barcode with its check digit"
    ),
    _rule(r"(9[1-5]\d{18})", mod10, "usps", LIKELY, "USPS label of 20 digits with its check digit"),
    _rule(r"96\d{5}(\d{15})", mod10, "fedex", CERTAIN, "FedEx Ground 96 with its check digit"),
    _rule(r"\d{12}", _fedex_express, "fedex", LIKELY, "12 digits with the check digit of FedEx Express"),
    _rule(r"\d{15}", mod10, "fedex", LIKELY, "15 digits with the check digit of FedEx Ground"),
    _rule(r"(?:00)?340434\d{12}", lambda n: mod10(n[-18:]), "dhl_parcel_de", CERTAIN, "SSCC of Deutsche Post DHL"),
    _rule(r"\d{10}", _mod7, "dhl_express", LIKELY, "10 digits with the check digit of DHL Express"),
    _rule(r"JJ?D\d{16,20}", _anything, "dhl_express", POSSIBLE, "the form of DHL piece numbers"),
    _rule(r"JVGL\d{8,20}", _anything, "dhl_unified", POSSIBLE, "the form of DHL Parcel NL"),
    _rule(r"[A-Z]{4}\d{7}", _container, "dcsa", CERTAIN, "container number (ISO 6346) with its check digit"),
    _rule(r"\d{3}(\d{8})", _mod7, "iata_one_record", LIKELY, "air waybill with its check digit"),
    _rule(r"\d{16}", mod10, "canadapost", LIKELY, "16 digits with the check digit of Canada Post"),
    _rule(r"\d{14}[0-9A-Z]", mod37, "dpd", LIKELY, "14 digits with the check character of DPD"),
    _rule(r"\d{14}", _anything, "dpd", POSSIBLE, "14 digits, as DPD has"),
    _rule(r"3S[0-9A-Z]{11,13}", _anything, "postnl", LIKELY, "the form of PostNL, 3S"),
    _rule(r"[5-9][A-Z]\d{11}", _anything, "laposte", POSSIBLE, "the form of Colissimo"),
    _rule(r"[HT]\d{2}[0-9A-Z]{13}", _anything, "evri", POSSIBLE, "the form of Evri"),
    _rule(r"\d{24}", _anything, "inpost", POSSIBLE, "24 digits, as InPost has"),
    _rule(r"TBA\d{12}", _anything, "amazon", LIKELY, "the form of Amazon Logistics"),
    _rule(r"[A-Z]{3}\d{9}", _anything, "purolator", POSSIBLE, "the form of Purolator"),
)
