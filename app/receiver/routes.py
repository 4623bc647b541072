"""The receiver's addresses. Authentication: the carrier's own proof on every POST; GET and HEAD reveal nothing."""

import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Blueprint, Flask, Response, request
from werkzeug.datastructures import Headers

from app.receiver.receive import Receiver

_WEBHOOK = re.compile(r"/in/([!-.0-~]+)(?:/([!-.0-~]+))?")


def routes(receiver: Receiver) -> Blueprint:
    """`/in/<carrier>` and `/in/<carrier>/<account>`."""
    blueprint = Blueprint("receiver", __name__)

    def take_in(carrier: str, account: str = "") -> Response:
        act = receiver.receive if request.method == "POST" else receiver.greet
        reply = act(request.environ, carrier, account)
        response = Response(reply.body, reply.status)
        response.headers = Headers(reply.headers)  # these and no others: Flask would add a content type
        return response

    for rule in ("/in/<carrier>", "/in/<carrier>/<account>"):
        blueprint.add_url_rule(rule, view_func=take_in, methods=["POST", "GET"])
    return blueprint


def straight(app: Flask, receiver: Receiver) -> WSGIApplication:
    """The application, with webhooks led straight to their view: Flask's matching, contexts and hooks around it took
    longer than the view. Whatever else is asked for goes Flask's way, and so does what goes wrong.
    """
    otherwise = app.wsgi_app

    def serve(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        found = _WEBHOOK.fullmatch(environ["PATH_INFO"]) if environ["REQUEST_METHOD"] == "POST" else None
        if found is None:
            return otherwise(environ, start)
        try:
            status, headers, body = receiver.receive(environ, found[1], found[2] or "")
        except Exception as fault:  # noqa: BLE001, Flask answers, logs and reports it
            return _of_fault(app, environ, fault)(environ, start)
        start(status, headers)
        return [body]

    return serve


def _of_fault(app: Flask, environ: WSGIEnvironment, fault: Exception) -> Response:
    with app.request_context(environ):
        try:
            return app.make_response(app.handle_user_exception(fault))
        except Exception as unexpected:  # noqa: BLE001
            return app.handle_exception(unexpected)
