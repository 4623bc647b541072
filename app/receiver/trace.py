"""The correlation id: the sender's own trace if it has one (W3C Trace Context), else a new one."""

import os
import re
from typing import Any

_TRACEPARENT = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?!0{32})(?P<trace>[0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?P<more>-.*)?"
)


def trace_of(environ: dict[str, Any]) -> str:
    """32 hex digits. A `traceparent` that breaks the rules of its version is as good as none."""
    claimed = environ.get("HTTP_TRACEPARENT")
    if claimed and (found := _TRACEPARENT.fullmatch(claimed)) and not (found["version"] == "00" and found["more"]):
        return found["trace"]
    return os.urandom(16).hex()
