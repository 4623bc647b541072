"""The queues, each with the lane it serves. Procfile and docker-compose.yml must name a worker for every one."""

LIVE = "live"
BULK = "bulk"
LANES = (LIVE, BULK)
"""live: what a carrier pushes and somebody waits for. bulk: polls, files, replays. Bulk never starves live."""

INGEST_LIVE = "ingest.live"
INGEST_BULK = "ingest.bulk"
ACT = "act"
CORRELATE = "correlate"
SWEEP = "sweep"
POLL = "poll"
PRUNE = "prune"
RECONCILE = "reconcile"

QUEUES = (INGEST_LIVE, INGEST_BULK, ACT, CORRELATE, SWEEP, POLL, PRUNE, RECONCILE)


def ingest_queue(lane: str) -> str:
    """The queue whose tasks drain that lane's stream."""
    return {LIVE: INGEST_LIVE, BULK: INGEST_BULK}[lane]
