"""DHL's messages about the subscription itself: the handshake, the confirmation, the failure."""

from typing import Any

from carriers.base import Answer, Reading, Request
from carriers.reading import dig, text
from shipments.errors import Unreadable

PUSH = "subscription.push"
_QUIET = {"subscription.created": "is created", "subscription.ready": "is active"}


def greet(request: Request) -> Answer | None:
    """200 to a message about the subscription, which is what DHL waits for; a push gets the usual answer.

    Looks at the first 4 KB only and parses nothing: control messages are far smaller.
    """
    _, found, rest = request.body[:4096].partition(b'"scope"')
    scope = rest[:80].partition(b'"')[2].partition(b'"')[0] if found else b""
    about_subscription = scope.startswith(b"subscription.") and scope != PUSH.encode()
    return Answer(200) if request.method == "POST" and about_subscription else None


def read_control(scope: str, body: dict[str, Any]) -> Reading:
    """A notice for operations; the secret never stands in it. All but the quiet ones wait for a person."""
    if not scope.startswith("subscription."):
        raise Unreadable(f"{scope[:40]!r} is no scope of DHL's push")
    secret = text(body.get("secret"))
    notice = _notice(scope, (text(body.get("self")) or "").rpartition("/")[2] or "without a name", body)
    return Reading(notice=notice.replace(secret, "***") if secret else notice, needs_a_person=scope not in _QUIET)


def _notice(scope: str, name: str, body: dict[str, Any]) -> str:
    if scope == "subscription.validate":
        return (
            f"Activate the DHL subscription {name}: send POST /tracking/push/v1/subscription/{name} with the secret "
            "of this message in the header DHL-API-Hook-Secret and your key in DHL-API-Key."
        )
    if scope in _QUIET:
        return f"The DHL subscription {name} {_QUIET[scope]}."
    said = (dig(body, "failure", "title"), dig(body, "failure", "detail"), body.get("note"), body.get("expires"))
    reason = "; ".join(filter(None, map(text, said))) or "no reason given"
    return f"DHL says {scope} of the subscription {name}: {reason}; check it and subscribe again if it has ended."
