"""Waking a stage once, however many have reason to: the bell stays rung until the stage starts to look for work."""

from workers.enqueue import wake
from workers.resources import redis_client

_BELL = "milepost:bell:{stage}"
_FORGOTTEN_AFTER_SECONDS = 10  # if the wake-up was lost, so is the ring


def ring(stage: str, queue: str, *args: str) -> bool:
    """Wakes the stage unless it was woken and has not started yet. The task must have the stage's name."""
    if not redis_client().set(_bell(stage, args), 1, nx=True, ex=_FORGOTTEN_AFTER_SECONDS):
        return False
    return wake(stage, queue, *args)


def answer(stage: str, *args: str) -> None:
    """Called when the stage starts: what is committed from now on rings again."""
    redis_client().delete(_bell(stage, args))


def _bell(stage: str, args: tuple[str, ...]) -> str:
    return _BELL.format(stage=":".join((stage, *args)))
