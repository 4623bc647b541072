"""Finds the carriers: every package in this folder that declares a CARRIER."""

import importlib
import pkgutil
from functools import cache
from pathlib import Path

from carriers.base import Carrier

_FOLDER = Path(__file__).parent


@cache
def carrier_names() -> tuple[str, ...]:
    """The names of all carrier folders, sorted: the words that URLs, settings and metrics use."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules([str(_FOLDER)]) if m.ispkg))


@cache
def find_carrier(name: str) -> Carrier | None:
    """The carrier of that folder name, or None. Loaded when first asked for."""
    if name not in carrier_names():
        return None
    carrier: Carrier = importlib.import_module(f"carriers.{name}").CARRIER
    return carrier


def all_carriers() -> list[Carrier]:
    """Every carrier, by name."""
    return [carrier for name in carrier_names() if (carrier := find_carrier(name))]
