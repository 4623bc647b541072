"""Waking a stage once, however many have reason to: the bell stays rung until the stage starts to look for work."""

from workers.enqueue import wake
from workers.resources import redis_client

_BELL = "milepost:bell:{stage}"
_FORGOTTEN_AFTER_SECONDS = 10  # if the wake-up was lost, so is the ring


def ring(stage: str, queue: str) -> bool:
    """Wakes the stage unless it was woken and has not started yet. The task must have the stage's name."""
    if not redis_client().set(_BELL.format(stage=stage), 1, nx=True, ex=_FORGOTTEN_AFTER_SECONDS):
        return False
    return wake(stage, queue)


def answer(stage: str) -> None:
    """Called when the stage starts: what is committed from now on rings again."""
    redis_client().delete(_BELL.format(stage=stage))
