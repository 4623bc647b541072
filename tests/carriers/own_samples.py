"""The project's own samples of a carrier as a start for a test: `read` one, changed in what the test is about."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import carriers
from carriers.base import Carrier, Message, Reading

FOLDER = Path(carriers.__file__).parent


def sample(carrier: Carrier, case: str) -> bytes:
    """The bytes of samples/<case>.in.*"""
    (path,) = (FOLDER / carrier.name / "samples").glob(f"{case}.in.*")
    return path.read_bytes()


def read(carrier: Carrier, case: str, change: Callable[[Any], None] | None = None) -> Reading:
    """What the JSON sample means once `change` has been made to it."""
    body = json.loads(sample(carrier, case))
    if change:
        change(body)
    return carrier.parse(Message(json.dumps(body).encode()))
