"""The policy of the chaos run: the shipped one with everything switched on that it leaves off.

Tasks are overdue two hours after the trouble where the run shall see them escalate, and months later where not.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from workers.resources import SHIPPED_POLICY

DESK = "desk@example.com"
OVERDUE_AFTER = timedelta(hours=2)

_SOON = {"resolve_within_hours": "1", "escalate_after_hours": "1", "escalate_to": f'"{DESK}"'}
CHANGES: Mapping[str, Mapping[str, str]] = {
    "finance": {"invoice": '"draft"'},
    "commitment": {"move_promise": "true"},
    "exception.failed_delivery": _SOON,
    "exception.address_issue": _SOON,
    "exception.customs_hold": _SOON | {"task": '"project"'},
    "exception.damaged": {"task": '"project"', "escalate_after_hours": "2400"},
}


def write_policy(file: Path) -> Path:
    """Writes it there."""
    file.write_text("\n".join(_changed(SHIPPED_POLICY.read_text(encoding="utf-8"))) + "\n", encoding="utf-8")
    return file


def _changed(shipped: str) -> Iterator[str]:
    """Each changed table gets its changed fields at its head, and loses those it had."""
    fields: Mapping[str, str] = {}
    for line in shipped.splitlines():
        if line.startswith("["):
            fields = CHANGES.get(line.strip("[]"), {})
            yield line
            yield from (f"{name} = {value}" for name, value in fields.items())
        elif line.partition("=")[0].strip() not in fields:
            yield line
