"""The tasks, one file a stage. A task carries no data: it looks for work, does it, and says what it did."""

from workers.tasks import act, correlate, ingest, poll, prune, reconcile, sweep

__all__ = ["act", "correlate", "ingest", "poll", "prune", "reconcile", "sweep"]
