"""The settings of what runs here: those of the environment, completed by what `milepost up` has written down."""

import json
import os
from functools import cache
from pathlib import Path

from config.settings import BadSettings, Settings, get_settings

ENVIRON = Path("run", "environ")


@cache
def running_settings() -> Settings:
    """The settings, with the store of a `milepost up` in the home folder where they name none. Raises BadSettings."""
    settings = get_settings()
    file = settings.home / ENVIRON
    if not settings.database_url and file.exists():
        os.environ.update(json.loads(file.read_text(encoding="utf-8")))
        get_settings.cache_clear()
        settings = get_settings()
    if not settings.database_url:
        raise BadSettings(
            [f"There is no store: set MILEPOST_DATABASE_URL, or start `milepost up` (looked in {settings.home})."]
        )
    return settings
