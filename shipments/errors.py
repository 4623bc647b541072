"""Everything that can go wrong, in one tree, so that a caller can tell whether to try again.

MilepostError
├── Unreadable           a body, or a part of one, that does not say what it should
├── Refused              not let in at the door
│   ├── SignatureMissing     the proof is not there
│   ├── SignatureMismatch    the proof is there and wrong
│   └── SignatureStale       the proof was right once
├── NotStored            neither the stream nor the database could keep it
├── Transient            worth trying again, perhaps after retry_after_seconds
│   └── OdooAway             cannot be reached, too slow, overloaded, or answers 5xx
├── Permanent            trying again changes nothing: a person has to act, and the message says how
│   └── OdooRefused          reached, and it says no: rights, unknown field, bad value
└── SetupFault           settings, policy or a carrier's folder are wrong; every fault is listed
"""


class MilepostError(Exception):
    """The root. The text is a sentence for a person."""


class Unreadable(MilepostError):
    """A body, or a part of one, cannot be read as this carrier's message."""


class Refused(MilepostError):
    """Not let in. `reason` is the machine-readable word in the answer."""

    reason = "refused"


class SignatureMissing(Refused):
    reason = "signature-missing"


class SignatureMismatch(Refused):
    reason = "signature-mismatch"


class SignatureStale(Refused):
    reason = "signature-stale"


class NotStored(MilepostError):
    """The message could not be kept anywhere, so it must not be accepted."""


class Transient(MilepostError):
    """Try again; after `retry_after_seconds` if somebody said so."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class OdooAway(Transient):
    """Odoo did not answer, answered too late, or answered that it cannot now."""


class Permanent(MilepostError):
    """Trying again will not help. The text says what a person has to do."""


class OdooRefused(Permanent):
    """Odoo answered no. `kind` is Odoo's own exception name, such as odoo.exceptions.AccessError."""

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class SetupFault(MilepostError):
    """How Milepost is set up is wrong. `faults` lists every one of them, a sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
