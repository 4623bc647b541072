"""The store, for commands: the one the settings name, else the one that `milepost up` runs in the home folder."""

from functools import cache

from sqlalchemy import Engine

from config.running import running_settings
from shipments.store.database import make_engine

__all__ = ["open_store", "running_settings"]


@cache
def open_store() -> Engine:
    """The database. Raises BadSettings without one."""
    return make_engine(running_settings().database_url)
