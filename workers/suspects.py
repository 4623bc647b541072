"""Working on messages that were taken before: alone if they are suspected of killing, unread if they did too often."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from shipments.store.intake import Intaken
from shipments.store.messages import MessageState, Verdict
from shipments.store.seal import Seal
from shipments.store.suspects import ALONE_AFTER, PARK_AFTER, REASON
from workers.resources import engine, suspects
from workers.understand import Understood, understand_all

Understand = Callable[[Iterable[Intaken], Seal], list[Understood]]
R = TypeVar("R")


def give_up(messages: Iterable[Intaken], _: Seal) -> list[Understood]:
    """Instead of reading them: each is parked."""
    return [Understood(Verdict(message, MessageState.PARKED, REASON)) for message in messages]


def take_again(place: str, ids: Sequence[bytes], work: Callable[[Understand], R]) -> R:
    """Does the work on messages that `Suspects.choose` gave; the work is told how to understand them."""
    deaths = max(suspects().deaths(place, ids).values(), default=0)
    if deaths >= ALONE_AFTER:
        engine().connect().close()  # a database that hangs must not be taken for the fault of the message
    with suspects().counted(place, ids):
        return work(give_up if deaths >= PARK_AFTER else understand_all)


def by_id(messages: Iterable[Intaken]) -> Mapping[bytes, Intaken]:
    """Messages of the store, as `Suspects.choose` wants them."""
    return {str(message.id).encode(): message for message in messages}
