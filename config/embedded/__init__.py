"""A Valkey and a PostgreSQL that come with the wheels, run under one folder, for a demo, the tests and a small site."""

from config.embedded.fault import EmbeddedFault

__all__ = ["EmbeddedFault"]
