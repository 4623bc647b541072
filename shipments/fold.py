"""Where a parcel stands: a pure function of the set of its events.

The events are put in order of time (ties by progress, then by key) and walked through once. Any order of arrival and
any number of repeats of the same set give the same answer, because the walk starts from the set and not from what was
known before.

The rules, and where they come from (design.md, "Fold"; carriers' traps):
- news (info_received, unknown) never moves a parcel;
- label data that comes after a scan does not put the parcel back to before the scan;
- delivered holds against later scans, but not against a return, a second delivery, or an event whose stated reason
  contradicts the delivery (wrong address, refused, nobody there);
- cancelled holds until something physical happens;
- on the way back every ordinary scan is return_in_transit, and "delivered" is returned;
- a number that starts again long after its journey ended is another parcel: a new journey;
- a retraction takes an event back, whichever of the two arrives first; test events move nothing;
- proof of delivery never makes a delivery;
- that it was ever told to be delivered is remembered (`hand_over`), with what that turned into: who has billed on it
  must hear of it;
- pieces under one number are walked each by itself, and all that the carrier announces have to arrive. What is told
  without a piece is told of each, so it also holds for a piece that nothing else was heard of.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from msgspec import Struct, convert
from msgspec.structs import replace

from shipments.event import Event, Leg
from shipments.handover import MOST_ESTIMATES, Estimate, HandOver, merge_estimates, merge_hand_overs
from shipments.milestone import DEFINITIONS, ExceptionCategory, Milestone, Phase
from shipments.proof import link_of

CLOCK_SKEW = timedelta(hours=24)
"""A carrier's clock or zone may be wrong by this much; an event further ahead is ordered by when it arrived."""

HEARD_WITHIN = 15 * 60
"""Seconds. News that change nothing else are written to Odoo once in this time, so that a talkative carrier does not
have the same delivery written again and again."""

NEW_JOURNEY_AFTER_END = timedelta(days=60)
NEW_JOURNEY_AFTER_SILENCE = timedelta(days=180)
"""Carriers use numbers again after some months."""

_CONTRADICTS_DELIVERY = frozenset(
    {
        ExceptionCategory.ADDRESS_ISSUE,
        ExceptionCategory.FAILED_DELIVERY,
        ExceptionCategory.MISSED_RECIPIENT,
        ExceptionCategory.REFUSED,
        ExceptionCategory.RETURN_TO_SENDER,
    }
)
_WAY_BACK = frozenset({Milestone.RETURN_IN_TRANSIT, Milestone.RETURNED})
_TROUBLE_ON_THE_WAY = frozenset({Milestone.EXCEPTION, Milestone.DELAYED, Milestone.LOST, Milestone.DAMAGED})


class Dated(NamedTuple):
    """An event with the moment it is ordered by, and when its message arrived."""

    instant: datetime
    event: Event
    received_at: datetime | None = None


def dated(event: Event, received_at: datetime) -> Dated:
    """The event with its moment: its own time, or when it arrived if it has none or one too far ahead."""
    instant = event.instant()
    if instant is None or instant > received_at + CLOCK_SKEW:
        instant = received_at
    return Dated(instant, event, received_at)


class Problem(Struct, frozen=True):
    """One stretch of trouble: opened by an event with a category, closed when the parcel moves on without one."""

    key: str  # the first, second, ... stretch of this kind of trouble of this parcel: 32 hex digits
    category: ExceptionCategory
    milestone: Milestone
    opened_at: datetime
    description: str | None
    open: bool = True


class Standing(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where one journey of a parcel, a shipment or an order stands.

    It is stored as it is (shipments/store/rows.py); what has a default only where it differs from it.

    instant: the moment of the event that put it there (UTC). occurred: that event's time as the carrier means it.
    started_at, last_at: moments of the first and the last event of the journey.
    hand_over: None unless something of it was ever told to be delivered. estimates: oldest first.
    turned_at: the moment of the first event on its way back; None if it has not turned.
    heard_at: when the last message with an event of it arrived, rounded down to HEARD_WITHIN. parcels, arrived: how
    many parcels or pieces it is, and how many of them are delivered or back.
    """

    milestone: Milestone
    exception_category: ExceptionCategory | None
    leg: Leg
    instant: datetime
    occurred: str | None
    location: str | None
    carrier: str
    tracking_number: str
    started_at: datetime
    last_at: datetime
    estimated_delivery_at: str | None
    proof_of_delivery: dict[str, Any] | None
    problems: tuple[Problem, ...]
    hand_over: HandOver | None = None
    estimates: tuple[Estimate, ...] = ()
    turned_at: datetime | None = None
    heard_at: datetime | None = None
    parcels: int = 1
    arrived: int = 0

    @property
    def phase(self) -> Phase:
        return DEFINITIONS[self.milestone].phase

    @property
    def rank(self) -> int:
        return DEFINITIONS[self.milestone].rank

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Standing":
        """From what was stored."""
        return convert(data, cls)


def fold(entries: Iterable[Dated], counts: Callable[[Event], bool] = lambda _: True) -> tuple[Standing, ...]:
    """Where each journey of a parcel stands, the oldest journey first; empty if no event counts.

    entries: all that is known of one parcel, in any order, repeats allowed. counts: leaves out events that shall not
    be seen, such as milestones the policy keeps from Odoo.
    """
    standings: list[Standing] = []
    in_order, withdrawn = _in_order(entries, counts)
    for journey in _journeys(in_order):
        pieces = sorted({e.event.piece for e in journey if e.event.piece})
        expected = _expected(journey, len(pieces))
        if expected < 2:
            standings.append(_walk(journey))
        else:
            parts = [_walk([e for e in journey if e.event.piece in (None, piece)]) for piece in pieces]
            standings.append(roll_up(parts, expected))
    for entry in withdrawn:
        _note_withdrawn(standings, entry)
    return tuple(standings)


def _expected(journey: Sequence[Dated], heard_of: int) -> int:
    """How many pieces have to arrive: what the newest event with a count announces, or those heard of if more.

    A count beside which no piece is told apart says nothing. Pieces nobody heard of are not waited for once the
    carrier has told of the end without naming a piece, which is of all of them.
    """
    announced = next((e.event.piece_count for e in reversed(journey) if e.event.piece_count), 0)
    if not heard_of or announced <= heard_of:
        return heard_of
    of_all = [e for e in journey if e.event.piece is None]
    return heard_of if of_all and _walk(of_all).phase is Phase.END else announced


def roll_up(standings: Sequence[Standing], expected: int) -> Standing:
    """Where several stand together: parcels of a shipment, shipments of an order, pieces of a parcel; at least one.

    All delivered is delivered. Some delivered, or fewer known than expected, is partially_delivered. Else the one in
    trouble speaks for all, else the one that is least far. Cancelled ones do not count beside others. The only one of
    one is the answer itself.
    """
    if len(standings) == 1 and expected <= 1:
        return standings[0]
    living = [s for s in standings if s.milestone is not Milestone.CANCELLED] or list(standings)
    done = [s for s in living if s.milestone in (Milestone.DELIVERED, Milestone.RETURNED)]
    missing = max(0, expected - len(standings)) + len(living) - len(done)
    if done and missing > 0:
        speaker, milestone = _latest(done), _partial(done)
    elif done:
        speaker = _latest([s for s in done if s.milestone is Milestone.DELIVERED] or done)
        milestone = speaker.milestone
    else:
        speaker = max(living, key=_loudness)
        milestone = speaker.milestone
    return replace(
        speaker,
        milestone=milestone,
        exception_category=_worst_category(speaker, living),
        started_at=min(s.started_at for s in living),
        last_at=max(s.last_at for s in living),
        problems=_all_problems(living),
        hand_over=merge_hand_overs([s.hand_over for s in living], missing=len(standings) < expected),
        estimates=merge_estimates(s.estimates for s in living),
        turned_at=_first_turn(living),
        heard_at=_last_heard(living),
        estimated_delivery_at=_last_estimate(living) or speaker.estimated_delivery_at,
        parcels=sum(s.parcels for s in living) + max(0, expected - len(standings)),
        arrived=sum(s.arrived for s in living),
    )


def same_parcel(standings: Sequence[Standing]) -> Standing:
    """Where one parcel stands that has several numbers; at least one. The number under which it got on speaks.

    A number that was replaced may be canceled or say nothing more, and does not hold the parcel back.
    """
    speaker = max(standings, key=_progress)
    return replace(
        speaker,
        started_at=min(s.started_at for s in standings),
        last_at=max(s.last_at for s in standings),
        problems=_all_problems(standings),
        hand_over=_remembered(standings, speaker),
        turned_at=_first_turn(standings),
        heard_at=_last_heard(standings),
    )


def _remembered(standings: Iterable[Standing], speaker: Standing) -> HandOver | None:
    """The hand-over under any of a parcel's numbers, taken back by where it stands if that is not delivered."""
    last = max((s.hand_over for s in standings if s.hand_over), key=lambda h: (h.at, h.told or ""), default=None)
    if last is None or last.taken_back or speaker.milestone is Milestone.DELIVERED:
        return last
    return replace(last, taken_back=_where(speaker.milestone, speaker.exception_category))


def _all_problems(standings: Iterable[Standing]) -> tuple[Problem, ...]:
    """Each once: what is told of a whole consignment is told of each of its parcels."""
    found: dict[str, Problem] = {}
    for problem in (p for s in standings for p in s.problems):
        other = found.get(problem.key, problem)
        first = min(other, problem, key=lambda p: (p.opened_at, p.milestone, p.description or ""))
        found[problem.key] = replace(first, open=other.open or problem.open)
    return tuple(found.values())


def _last_heard(standings: Iterable[Standing]) -> datetime | None:
    return max((s.heard_at for s in standings if s.heard_at), default=None)


def _last_estimate(standings: Iterable[Standing]) -> str | None:
    """When the last of those still under way is estimated to arrive; None where nothing is awaited."""
    awaited = [s.estimated_delivery_at for s in standings if s.estimated_delivery_at and s.phase is not Phase.END]
    return max(awaited, key=lambda at: (at[:10], at), default=None)


def _first_turn(standings: Iterable[Standing]) -> datetime | None:
    return min((s.turned_at for s in standings if s.turned_at), default=None)


_PHASES = (Phase.NEWS, Phase.BEFORE, Phase.MOVING, Phase.END)


def _progress(standing: Standing) -> tuple[int, datetime, str, str]:
    """How far through its phases, then the latest."""
    phase = 0 if standing.milestone is Milestone.CANCELLED else _PHASES.index(standing.phase)
    return phase, standing.instant, standing.carrier, standing.tracking_number


def _partial(done: Sequence[Standing]) -> Milestone:
    returned_only = all(s.milestone is Milestone.RETURNED for s in done)
    return Milestone.RETURN_IN_TRANSIT if returned_only else Milestone.PARTIALLY_DELIVERED


def _latest(standings: Sequence[Standing]) -> Standing:
    return max(standings, key=lambda s: (s.instant, s.carrier, s.tracking_number))


def _loudness(standing: Standing) -> tuple[bool, int, datetime, str]:
    """Trouble first, then the least progress, then the latest."""
    troubled = standing.exception_category is not None or standing.milestone in _TROUBLE_ON_THE_WAY
    return troubled, -standing.rank, standing.instant, standing.tracking_number


def _worst_category(speaker: Standing, living: Sequence[Standing]) -> ExceptionCategory | None:
    """The speaker's own trouble, else that of another parcel: it must not hide behind a delivered one."""
    if speaker.exception_category:
        return speaker.exception_category
    others = [s for s in living if s.exception_category]
    return _latest(others).exception_category if others else None


def _in_order(entries: Iterable[Dated], counts: Callable[[Event], bool]) -> tuple[list[Dated], list[Dated]]:
    """The events that stand, in order, and the deliveries that were told and withdrawn, likewise."""
    unique = {entry.event.key: entry for entry in entries}.values()
    retracted = {e.event.retracts for e in unique if e.event.retracts}
    standing = [
        e
        for e in unique
        if not e.event.is_test
        and not e.event.retracts
        and e.event.provider_event_id not in retracted
        and counts(e.event)
    ]
    withdrawn = [e for e in unique if e.event.provider_event_id in retracted] if retracted else []
    deliveries = [
        e
        for e in withdrawn
        if (e.event.milestone, e.event.leg) == (Milestone.DELIVERED, Leg.OUTBOUND)
        and not e.event.is_test
        and counts(e.event)
    ]
    return sorted(standing, key=_place_in_order), sorted(deliveries, key=_place_in_order)


def _place_in_order(entry: Dated) -> tuple[datetime, int, UUID]:
    return entry.instant, DEFINITIONS[entry.event.milestone].rank, entry.event.key


def _note_withdrawn(standings: list[Standing], entry: Dated) -> None:
    """A delivery that was told and withdrawn is not forgotten by the journey it belonged to."""
    if not standings:
        return
    place = max((n for n, s in enumerate(standings) if s.started_at <= entry.instant), default=0)
    standing = standings[place]
    if standing.hand_over is None:
        since = _where(standing.milestone, standing.exception_category)
        hand_over = HandOver(
            entry.instant, _written(entry.event), None, proven=False, complete=not entry.event.piece, taken_back=since
        )
        standings[place] = replace(standing, hand_over=hand_over)


def _journeys(entries: Sequence[Dated]) -> list[list[Dated]]:
    """Cuts where a number starts again: something outbound long after an end, or after a very long silence."""
    journeys: list[list[Dated]] = []
    ended = False
    for entry in entries:
        if not journeys or _starts_again(journeys[-1][-1], entry, ended):
            journeys.append([])
            ended = False
        journeys[-1].append(entry)
        ended = ended or DEFINITIONS[entry.event.milestone].phase is Phase.END
    return journeys


def _starts_again(last: Dated, entry: Dated, ended: bool) -> bool:
    event, silence = entry.event, entry.instant - last.instant
    if silence < (NEW_JOURNEY_AFTER_END if ended else NEW_JOURNEY_AFTER_SILENCE):
        return False
    outbound = event.leg is Leg.OUTBOUND and event.milestone not in _WAY_BACK
    moving = DEFINITIONS[event.milestone].phase in (Phase.BEFORE, Phase.MOVING)
    return outbound and moving and event.exception_category not in _CONTRADICTS_DELIVERY


@dataclass(slots=True)
class _Way:
    """Where a journey stands while it is walked; a Standing is made of it once, at the end."""

    milestone: Milestone
    category: ExceptionCategory | None
    leg: Leg
    entry: Dated  # the one that put it there
    problems: tuple[Problem, ...] = ()
    delivered: Dated | None = None  # the last one that made it delivered
    turned_at: datetime | None = None


def _walk(entries: Sequence[Dated]) -> Standing:
    """One journey, or one piece of it, from its first event to its last."""
    first, last = entries[0], entries[-1]
    way = _Way(first.event.milestone, None, Leg.OUTBOUND, first)
    _move(way, first)
    for entry in entries[1:]:
        if _moves(way, entry.event):
            _move(way, entry)
    event = way.entry.event
    estimates = _estimates(entries)
    has_proof = way.milestone in (Milestone.DELIVERED, Milestone.PARTIALLY_DELIVERED, Milestone.RETURNED)
    return Standing(
        milestone=way.milestone,
        exception_category=way.category,
        leg=way.leg,
        instant=way.entry.instant,
        occurred=_written(event),
        location=place(event),
        carrier=first.event.carrier,
        tracking_number=first.event.tracking_number,
        started_at=first.instant,
        last_at=last.instant,
        estimated_delivery_at=estimates[-1].at if estimates else None,
        proof_of_delivery=_latest_proof(entries) if has_proof else None,
        problems=way.problems,
        hand_over=_hand_over(way, entries),
        estimates=estimates,
        turned_at=way.turned_at,
        heard_at=_heard_at(entries),
        arrived=int(way.milestone in (Milestone.DELIVERED, Milestone.RETURNED)),
    )


def _heard_at(entries: Iterable[Dated]) -> datetime | None:
    """When the last message arrived that told of any of them."""
    last = max((entry.received_at for entry in entries if entry.received_at), default=None)
    return last and datetime.fromtimestamp(last.timestamp() // HEARD_WITHIN * HEARD_WITHIN, UTC)


def _estimates(entries: Sequence[Dated]) -> tuple[Estimate, ...]:
    """Whichever event brings them, news included. The same told again is no revision."""
    found: list[Estimate] = []
    for instant, event, _ in entries:
        if event.estimated_delivery_at:
            at = event.estimated_delivery_at.isoformat()
            if not found or found[-1].at != at:
                found.append(Estimate(instant, at, event.carrier, event.tracking_number))
    return tuple(found[-MOST_ESTIMATES:])


def _hand_over(way: _Way, entries: Sequence[Dated]) -> HandOver | None:
    """From the last event that made it delivered; else, incomplete, from the last that said so and does not count.

    That one may have counted before others were heard of.
    """
    told = (entry for entry in reversed(entries) if entry.event.milestone is Milestone.DELIVERED)
    delivered = way.delivered or next(told, None)
    if delivered is None:
        return None
    proofs = [entry.event.proof_of_delivery for entry in entries if entry.event.proof_of_delivery]
    return HandOver(
        at=delivered.instant,
        told=_written(delivered.event),
        signed_by=next((proof.signed_by for proof in reversed(proofs) if proof.signed_by), None),
        proven=any(proof.signed_by or proof.document for proof in proofs),
        complete=way.delivered is not None,
        taken_back=None if way.milestone is Milestone.DELIVERED else _where(way.milestone, way.category),
    )


def _written(event: Event) -> str | None:
    return event.occurred_at.isoformat() if event.occurred_at else None


def _where(milestone: Milestone, category: ExceptionCategory | None) -> str:
    return f"{milestone.value}: {category.value}" if category else milestone.value


def _latest_proof(entries: Sequence[Dated]) -> dict[str, Any] | None:
    """Whichever event brings it: carriers tell of a signature apart from the delivery. A document only as a link: one
    that came whole stays in its event.
    """
    proofs = (entry.event.proof_of_delivery for entry in reversed(entries))
    return next(({"signed_by": p.signed_by, "at": p.at, "document": link_of(p.document)} for p in proofs if p), None)


def _moves(way: _Way, event: Event) -> bool:
    """Whether the event changes where the journey stands."""
    phase, stands = DEFINITIONS[event.milestone].phase, DEFINITIONS[way.milestone]
    if stands.phase is Phase.NEWS:
        return True
    if phase is Phase.NEWS or way.milestone is Milestone.RETURNED:
        return False
    if way.milestone is Milestone.DELIVERED:
        contradicts = event.exception_category in _CONTRADICTS_DELIVERY
        return contradicts or event.milestone in _WAY_BACK or event.milestone is Milestone.DELIVERED
    if phase is Phase.BEFORE:
        return stands.phase is Phase.BEFORE and DEFINITIONS[event.milestone].rank >= stands.rank
    return True


def _move(way: _Way, entry: Dated) -> None:
    """Brings the journey to where it stands after an event that moves it."""
    event = entry.event
    phase = DEFINITIONS[event.milestone].phase
    if event.milestone in _WAY_BACK or (event.leg is Leg.RETURN and phase in (Phase.MOVING, Phase.END)):
        way.leg = Leg.RETURN
        way.turned_at = way.turned_at or entry.instant
    milestone, category = event.milestone, event.exception_category
    if way.leg is Leg.RETURN:
        milestone = on_the_way_back(milestone)
        if milestone is Milestone.RETURN_IN_TRANSIT and way.milestone is Milestone.RETURN_IN_TRANSIT:
            category = category or way.category  # the reason it comes back stands until it is back
    way.milestone, way.category, way.entry = milestone, category, entry
    if milestone is Milestone.DELIVERED:
        way.delivered = entry
    way.problems = _problems(way.problems, entry, milestone, category)


def on_the_way_back(milestone: Milestone) -> Milestone:
    """What a milestone means while the parcel comes back."""
    if milestone in (Milestone.DELIVERED, Milestone.RETURNED, Milestone.PARTIALLY_DELIVERED):
        return Milestone.RETURNED
    if milestone in _TROUBLE_ON_THE_WAY or DEFINITIONS[milestone].phase is not Phase.MOVING:
        return milestone
    return Milestone.RETURN_IN_TRANSIT


def _problems(
    problems: tuple[Problem, ...], entry: Dated, milestone: Milestone, category: ExceptionCategory | None
) -> tuple[Problem, ...]:
    """Trouble of the same kind goes on; of another kind, or none, closes what was open."""
    if category is None and not problems:
        return ()
    if category and any(p.open and p.category is category for p in problems):
        return problems
    closed = tuple(replace(p, open=False) if p.open else p for p in problems)
    if category is None:
        return closed
    key = _problem_key(problems, entry.event, category)
    return (*closed, Problem(key, category, milestone, entry.instant, entry.event.description))


def _problem_key(problems: tuple[Problem, ...], event: Event, category: ExceptionCategory) -> str:
    """Which stretch of that trouble it is, by count: an earlier report that comes late is of the same stretch."""
    known = {problem.key for problem in problems}
    for stretch in range(len(known) + 1):
        parts = (event.carrier, event.tracking_number, event.journey, event.piece, category.value, stretch)
        key = blake2b(repr(parts).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        if key not in known:
            break
    return key


def place(event: Event) -> str | None:
    """The event's place in a line for people, such as "Lyon, FR"; None if the carrier names none."""
    where = event.location
    parts = [where.city or where.facility or where.unlocode or where.postcode, where.region, where.country]
    return ", ".join(p for p in parts if p) or None
