"""The schedule: every stage is asked to look for work now and then, so that losing a wake-up loses nothing.

workers/scheduler.py leaves out a call that would only lengthen a queue nobody works on.
"""

from config.queues import ACT, BULK, CORRELATE, INGEST_BULK, INGEST_LIVE, LIVE, POLL, PRUNE, RECONCILE, SWEEP


def _every(seconds: float, task: str, queue: str, *args: str) -> dict[str, object]:
    return {"task": task, "schedule": seconds, "args": args, "options": {"queue": queue}}


SCHEDULE = {
    "ingest live": _every(5, "ingest", INGEST_LIVE, LIVE),
    "ingest bulk": _every(5, "ingest", INGEST_BULK, BULK),
    "act": _every(2, "act", ACT),
    "correlate": _every(10, "correlate", CORRELATE),
    "sweep": _every(10, "sweep", SWEEP),
    "poll": _every(10, "poll", POLL),
    "prune": _every(600, "prune", PRUNE),
    "reconcile": _every(60, "reconcile", RECONCILE),
}
