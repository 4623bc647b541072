"""What is answered to a notification: ONE Record counts 204 as received."""

from carriers.base import Answer, Request


def greet(request: Request) -> Answer | None:
    """204 to every POST."""
    return Answer(204) if request.method == "POST" else None
