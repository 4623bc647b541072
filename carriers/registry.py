"""Finds the carriers: every folder here that declares a CARRIER, and every source that the operator describes.

The two settings are read here and not from config: `milepost parse` works without settings, and with the sources all
the same. config/settings.py declares them and checks that they exist.
"""

import importlib
import os
import pkgutil
from functools import cache
from pathlib import Path

from carriers.base import Carrier
from carriers.codes import Override, read_overrides
from carriers.sources import load_source, source_files
from shipments.errors import SetupFault

_FOLDER = Path(__file__).parent
_SHARED = ("proof", "reading", "sources")


@cache
def folder_names() -> tuple[str, ...]:
    """The names of all carrier folders, sorted."""
    modules = pkgutil.iter_modules([str(_FOLDER)])
    return tuple(sorted(m.name for m in modules if m.ispkg and m.name not in _SHARED and not m.name.startswith("_")))


@cache
def carrier_names() -> tuple[str, ...]:
    """The names of all carriers, folders and sources, sorted: the words that URLs, settings and metrics use."""
    sources = _sources()
    if twice := sorted(set(sources) & {*folder_names(), *_SHARED}):
        raise SetupFault([f"{sources[name]}: {name!r} is a carrier that is shipped; rename the file" for name in twice])
    return tuple(sorted({*folder_names(), *sources}))


@cache
def find_carrier(name: str) -> Carrier | None:
    """The carrier of that name, or None. Loaded when first asked for, with the codes the operator maps otherwise.

    Raises SetupFault for a source or a line of the operator's codes that is wrong.
    """
    if name not in carrier_names():
        return None
    source = _sources().get(name)
    carrier: Carrier = load_source(source) if source else importlib.import_module(f"carriers.{name}").CARRIER
    for override in overrides():
        if override.carrier == name:
            carrier.codes.override(override.code_list, override.code, override.meaning)
    return carrier


def all_carriers() -> list[Carrier]:
    """Every carrier, by name."""
    return [carrier for name in carrier_names() if (carrier := find_carrier(name))]


@cache
def overrides() -> tuple[Override, ...]:
    """What the operator's file (MILEPOST_CODES) maps. Raises SetupFault, each fault by its line."""
    path = os.environ.get("MILEPOST_CODES", "")
    return tuple(read_overrides(Path(path), carrier_names())) if path else ()


@cache
def _sources() -> dict[str, Path]:
    folder = os.environ.get("MILEPOST_SOURCES", "")
    return source_files(Path(folder)) if folder else {}


def forget() -> None:
    """Reads everything anew when next asked; for tests and for commands that look at another folder."""
    for remembered in (carrier_names, find_carrier, overrides, _sources):
        remembered.cache_clear()
