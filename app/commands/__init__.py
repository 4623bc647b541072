"""One command of `milepost` in each file, found by the entry points in setup.cfg."""
