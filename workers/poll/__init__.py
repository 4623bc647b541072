"""Asking carriers: those that do not call, and those that fell silent. Nothing but this package talks to a carrier."""
