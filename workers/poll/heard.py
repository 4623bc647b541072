"""What an answer tells of each number it was asked about, and when to ask again. Pure."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from carriers.base import Carrier, Message, Reading
from carriers.polling import Outcome
from shipments.correlation import comparable
from shipments.errors import Unreadable
from shipments.event import Event
from shipments.fold import dated, fold
from shipments.rules.polling import Known, Polling, plan
from shipments.store.polls import Claimed, Decided
from workers.poll.answer import Answer

AGAIN_AFTER_FAILURE = timedelta(minutes=5)
"""A number whose call failed waits so long, lest one that always fails is asked about without end."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What came of one call; answer None: it was not made. fault: what could not be read of it, as a digest."""

    claimed: tuple[Claimed, ...]
    answer: Answer | None = None
    events: tuple[Event, ...] = ()
    fault: str | None = None

    @property
    def keys(self) -> set[UUID]:
        return {event.key for event in self.events}

    def is_worth_keeping(self, new: Collection[UUID]) -> bool:
        """Whether the message tells an event that the store lacks, or has a fault that nobody was shown yet."""
        has_news = any(event.key in new for event in self.events)
        return has_news or (self.fault is not None and any(c.digest != self.fault for c in self.claimed))


def hear(carrier: Carrier, claimed: tuple[Claimed, ...], answer: Answer) -> Heard:
    """Reads the answer with the carrier's own parser."""
    if answer.outcome is not Outcome.ANSWERED:
        return Heard(claimed, answer)
    try:
        reading = carrier.parse(Message(answer.body, {"content-type": answer.content_type}))
    except Unreadable as fault:
        return Heard(claimed, answer, fault=_digest([str(fault)]))
    return Heard(claimed, answer, reading.events, _fault(reading))


def decide(heard: Heard, new: Collection[UUID], table: Polling, at: datetime) -> Iterator[Decided]:
    """What becomes of each number, given which of the events are news to the store."""
    outcome = heard.answer.outcome if heard.answer else None
    for claimed in heard.claimed:
        match outcome:
            case Outcome.ANSWERED:
                yield _decide_answered(claimed, heard, new, table, at)
            case Outcome.NOT_FOUND | Outcome.BAD_NUMBER:
                yield _planned(claimed, replace(claimed.known, asked_at=at), outcome.value, table, at)
            case Outcome.AWAY:
                yield Decided(claimed, AGAIN_AFTER_FAILURE, outcome=outcome.value, digest=claimed.digest)
            case _:  # not asked, or not let in: as if nobody had looked
                yield Decided(claimed, timedelta(0))


def _decide_answered(claimed: Claimed, heard: Heard, new: Collection[UUID], table: Polling, at: datetime) -> Decided:
    events = _events_of(claimed, heard)
    known = _known_now(claimed.known, events, any(event.key in new for event in events), at)
    if not events:
        outcome = "unreadable" if heard.fault else Outcome.NOT_FOUND.value
    else:
        outcome = "news" if any(event.key in new for event in events) else "same"
    return _planned(claimed, known, outcome, table, at, heard.fault)


def _planned(
    claimed: Claimed, known: Known, outcome: str, table: Polling, at: datetime, digest: str | None = None
) -> Decided:
    planned = plan(known, table, at)
    due_in = planned.due_at - at if planned.due_at else None
    return Decided(claimed, due_in, planned.reason, outcome, True, digest)


def _events_of(claimed: Claimed, heard: Heard) -> Sequence[Event]:
    """Asked about one number, the carrier may answer with another that it goes by."""
    if len(heard.claimed) == 1:
        return heard.events
    return [event for event in heard.events if comparable(event.tracking_number) == claimed.number]


def _known_now(known: Known, events: Sequence[Event], has_news: bool, at: datetime) -> Known:
    """What is known once the answer has been ingested. Carriers answer with the whole history."""
    journeys = fold(dated(event, at) for event in events)
    known = replace(known, asked_at=at)
    if journeys:
        newest = max(journeys, key=lambda journey: journey.last_at)
        known = replace(known, milestone=newest.milestone, started_at=newest.started_at, last_at=newest.last_at)
    return replace(known, news_at=at, pushed=False) if has_news else known


def _fault(reading: Reading) -> str | None:
    if not reading.faults and not reading.needs_a_person:
        return None
    return _digest([f"{fault.where}: {fault.reason}" for fault in reading.faults] or [reading.notice or ""])


def _digest(sentences: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sentences).encode("utf-8", "surrogatepass")).hexdigest()[:32]
