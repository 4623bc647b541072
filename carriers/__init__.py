"""The translators: one folder per carrier, found by its presence. `find_carrier` and `all_carriers` are the way in."""

from carriers.registry import all_carriers, find_carrier

__all__ = ["all_carriers", "find_carrier"]
