"""What is answered to DCSA's calls: the callback specification counts nothing but 204 as received."""

from carriers.base import Answer, Request


def greet(request: Request) -> Answer | None:
    """204 to a push, and to the HEAD that tries the address when a subscription is made."""
    return Answer(204) if request.method in ("POST", "HEAD") else None
