"""The receiver's addresses. Authentication: the carrier's own proof on every POST; GET and HEAD reveal nothing."""

from flask import Blueprint, Response, request

from app.receiver.receive import Receiver


def routes(receiver: Receiver) -> Blueprint:
    """`/in/<carrier>` and `/in/<carrier>/<account>`."""
    blueprint = Blueprint("receiver", __name__)

    def take_in(carrier: str, account: str = "") -> Response:
        act = receiver.receive if request.method == "POST" else receiver.greet
        return act(request.environ, carrier, account)

    for rule in ("/in/<carrier>", "/in/<carrier>/<account>"):
        blueprint.add_url_rule(rule, view_func=take_in, methods=["POST", "GET"])
    return blueprint
