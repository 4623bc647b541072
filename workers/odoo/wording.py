"""How what Milepost knows reads in Odoo: milestones, teams, carriers and the times that carriers write."""

from datetime import datetime

from carriers.registry import find_carrier

_A_DAY = len("2026-11-25")


def label(value: str) -> str:
    """How a milestone or exception category reads."""
    return value.replace("_", " ").capitalize()


def team_label(name: str | None) -> str:
    """A team of the policy, as the policy writes it, but with a capital."""
    return name[:1].upper() + name[1:] if name else ""


def carrier_label(name: str | None) -> str:
    """A carrier as people call it: "DHL" for dhl_unified, whose title says more in brackets. An unknown one's name."""
    carrier = find_carrier(name) if name else None
    return carrier.title.partition(" (")[0] if carrier else name or ""


def time_label(written: str | None) -> str:
    """An ISO time as its carrier means it: "2026-11-23 11:00 (UTC+01:00)", without a zone where none is known.

    A day stays one.
    """
    if not written or len(written) <= _A_DAY:
        return written or ""
    at = datetime.fromisoformat(written)
    return f"{at:%Y-%m-%d %H:%M} ({at.tzname()})" if at.tzinfo else f"{at:%Y-%m-%d %H:%M}"
