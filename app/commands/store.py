"""The store, for commands: the one the settings name, else the one that `milepost up` runs in the home folder."""

import json
import os
from functools import cache

from sqlalchemy import Engine

from app.commands.up import ENVIRON
from config.settings import Settings, get_settings, load_settings
from shipments.errors import SetupFault
from shipments.store.database import make_engine


@cache
def running_settings() -> Settings:
    """The settings, completed by what a `milepost up` in the home folder has written down. Raises SetupFault."""
    settings = get_settings()
    file = settings.home / ENVIRON
    if not settings.database_url and file.exists():
        os.environ.update(json.loads(file.read_text(encoding="utf-8")))
        get_settings.cache_clear()
        settings = load_settings()
    if not settings.database_url:
        raise SetupFault(
            [f"There is no store: set MILEPOST_DATABASE_URL, or start `milepost up` (looked in {settings.home})."]
        )
    return settings


@cache
def open_store() -> Engine:
    """The database. Raises SetupFault without one."""
    return make_engine(running_settings().database_url)
