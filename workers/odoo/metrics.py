"""Counts every call to Odoo."""

from config import metrics


def note_call(model: str, method: str, seconds: float, outcome: str) -> None:
    """A hook for the client."""
    metrics.ODOO_CALLS.labels(model, method, outcome).inc()
    metrics.ODOO_CALL_SECONDS.labels(method).observe(seconds)
