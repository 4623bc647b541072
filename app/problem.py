"""Saying no: every error of every route as problem+json (RFC 9457), with a short reason that a machine can read.

The detail is a sentence of ours. It never repeats the body, a header's value, a secret or the path that was asked for.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

CONTENT_TYPE = "application/problem+json"

_DETAILS = {
    400: "The request is malformed.",
    404: "Nothing is here.",
    405: "This address does not take that method.",
    500: "Something is wrong on our side; it has been reported. Sending the same again does no harm.",
}


class Problem(Exception):
    """A request is refused. `reason` is for machines, `detail` for people; both are fixed words of ours.

    retry_after_seconds: when to try again, where trying again makes sense.
    """

    def __init__(self, status: int, reason: str, detail: str, retry_after_seconds: int | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.reason = reason
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds


def answer_problems(app: Flask) -> None:
    """Makes every error of the application a problem."""
    app.register_error_handler(Problem, _of_problem)
    app.register_error_handler(HTTPException, _of_http)


def written(problem: Problem) -> tuple[int, list[tuple[str, str]], bytes]:
    """A problem as status, headers and body, for where there is no application."""
    response = _of_problem(problem)
    return response.status_code, response.headers.to_wsgi_list(), response.get_data()


def _of_problem(problem: Problem) -> Response:
    wait = problem.retry_after_seconds
    headers = {} if wait is None else {"Retry-After": str(wait)}
    return _answer(problem.status, problem.reason, problem.detail, headers)


def _of_http(error: HTTPException) -> Response:
    """Werkzeug's own errors, and whatever nobody caught: Flask logs and reports those before it asks here."""
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    if status < HTTPStatus.BAD_REQUEST and error.response is not None:
        return Response(status=status, headers=error.response.headers)
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Location")}
    phrase = HTTPStatus(status).phrase
    return _answer(status, phrase.lower().replace(" ", "-"), _DETAILS.get(status, f"{phrase}."), headers)


def _answer(status: int, reason: str, detail: str, headers: Mapping[str, str]) -> Response:
    problem = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "reason": reason,
    }
    return Response(json.dumps(problem), status, headers, content_type=CONTENT_TYPE)
