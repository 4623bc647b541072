"""Service levels on trouble, by the database's clock, from the webhook's event to the task in Odoo."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st
from sqlalchemy import Engine, event, text

from app.commands import exceptions
from app.health import Health
from config import metrics
from config.settings import load_settings
from shipments.clock import now
from shipments.errors import OdooAway
from shipments.event import Event
from shipments.milestone import ExceptionCategory
from shipments.rules.exceptions import Task
from shipments.rules.policy import Policy
from shipments.store.database import make_engine
from shipments.store.trouble import count_trouble
from tests.fakes.odoo import FakeOdoo
from tests.shipments.telling import START, told
from tests.workers.conftest import POLICY, understood
from tests.workers.odoo.conftest import Shop
from workers.act import Done, act_round
from workers.correlate import Correlated, store_deliveries
from workers.ingest import ingest_batch
from workers.odoo import setup
from workers.odoo.client import Odoo, connect
from workers.odoo.fields import PICKING
from workers.odoo.index import find_numbers

CUSTOMS = ExceptionCategory.CUSTOMS_HOLD
CLOCK = """
    create schema if not exists clock;
    create table if not exists clock.frozen (at timestamptz);
    create or replace function clock.now() returns timestamptz language sql stable as 'select at from clock.frozen';
"""


@pytest.fixture
def engine(database_url: str, clean: None) -> Iterator[Engine]:
    """The store, with a clock of its own: it shows START until `at` says another time."""
    plain = make_engine(database_url)
    with plain.begin() as connection:
        connection.execute(text(CLOCK))
        connection.execute(text("delete from clock.frozen"))
        connection.execute(text("insert into clock.frozen values (:at)"), {"at": START})
    engine = make_engine(database_url)

    @event.listens_for(engine, "connect")
    def use(connection: Any, _: Any) -> None:
        connection.execute("set search_path to clock, pg_catalog, public")
        connection.commit()

    yield engine
    engine.dispose()
    with plain.begin() as connection:
        connection.execute(text("drop schema clock cascade"))
    plain.dispose()


@pytest.fixture
def at(engine: Engine) -> Callable[[float], None]:
    """Sets the database's clock to so many hours after START."""

    def at(hours: float) -> None:
        with engine.begin() as connection:
            connection.execute(text("update clock.frozen set at = :at"), {"at": START + timedelta(hours=hours)})

    return at


@pytest.fixture
def tell(engine: Engine) -> Callable[..., None]:
    """Ingests the events as one message each, by the shipped policy or another."""

    def tell(*events: Event, policy: Policy = POLICY) -> None:
        ingest_batch(engine, [understood(e) for e in events], policy)

    return tell


class Desk:
    """A delivery with a number in that Odoo, which the store knows, and what people see of its trouble."""

    def __init__(self, engine: Engine, odoo: Odoo, picking: int, number: str) -> None:
        self.engine, self.odoo, self.picking, self.number = engine, odoo, picking, number
        store_deliveries(engine, find_numbers(odoo, [number]), POLICY, Correlated())

    def told(self, milestone: str, hours: float, category: str | None = None, **more: Any) -> Event:
        return told(milestone, hours, category, tracking_number=self.number, **more)

    def act(self) -> int:
        """Rounds until nothing is due; how many calls to Odoo they were."""
        before = self.odoo.calls
        while act_round(self.engine, self.odoo, Done()).performed:
            pass
        return self.odoo.calls - before

    def tasks(self) -> list[dict[str, Any]]:
        domain = [("res_model", "=", PICKING), ("res_id", "=", self.picking)]
        fields = ["summary", "user_id", "date_deadline", "note"]
        return self.odoo.call("mail.activity", "search_read", domain=domain, fields=fields)

    def shows(self, *names: str) -> list[Any]:
        row = self.odoo.call(PICKING, "read", [self.picking], fields=list(names))[0]
        return [row[name] for name in names]


@pytest.fixture
def desk(engine: Engine, ready: Odoo, shop: Shop) -> Desk:
    [picking] = shop.ship(shop.number(1))
    return Desk(engine, ready, picking, shop.number(1))


@pytest.fixture
def boss(odoo: Odoo) -> tuple[Policy, int]:
    """The shipped policy with somebody to whom customs holds move on, and that user's id."""
    login = "boss@example.com"
    found = odoo.call("res.users", "search_read", domain=[("login", "=", login)], fields=["id"])
    user = (
        found[0]["id"] if found else odoo.call("res.users", "create", vals_list=[{"name": "Boss", "login": login}])[0]
    )
    return with_rule(escalate_login=login), user


def with_rule(policy: Policy = POLICY, **changed: Any) -> Policy:
    """That policy with another rule for customs holds."""
    return replace(policy, exceptions={**policy.exceptions, CUSTOMS: replace(policy.exceptions[CUSTOMS], **changed)})


@pytest.mark.requirement("M17", "M13", "M10")
def test_trouble_arrives_as_fields_and_goes_with_the_trouble(desk: Desk, tell: Any) -> None:
    names = ("category", "severity", "owner", "due")
    fields = [f"x_milepost_exception{'' if n == 'category' else f'_{n}'}" for n in names]
    tell(desk.told("exception", 1, "customs_hold"))
    desk.act()
    assert desk.shows(*fields) == ["customs_hold", "3_high", "Customs", "2026-03-02 09:00:00"]
    tell(desk.told("customs_released", 2))
    desk.act()
    assert desk.shows(*fields) == [False] * 4


@pytest.mark.requirement("M12", "M13", "M14", "M16", "M18", "M19")
@pytest.mark.parametrize("category", ["failed_pickup", "customs_hold", "address_issue", "return_to_sender"])
def test_each_kind_of_trouble_is_a_task_of_its_own_with_the_carriers_words_and_the_advice(
    desk: Desk, tell: Any, category: str
) -> None:
    tell(desk.told("exception", 1, category, description="As the carrier says"))
    desk.act()
    [task] = desk.tasks()
    rule = POLICY.exceptions[ExceptionCategory(category)]
    assert task["summary"] == rule.summary
    assert rule.advice in task["note"]
    assert "As the carrier says" in task["note"]
    tell(desk.told("in_transit", 2))
    desk.act()
    assert desk.tasks() == []


@pytest.mark.requirement("M21", "M18", "M64")
def test_a_task_that_is_not_resolved_in_time_moves_on_once(desk: Desk, tell: Any, at: Any, boss: Any) -> None:
    policy, user = boss
    tell(desk.told("exception", 1, "customs_hold"), policy=policy)
    desk.act()
    [task] = desk.tasks()
    at(1 + 47.9)
    assert desk.act() == 0
    assert desk.tasks() == [task]
    at(1 + 48)
    assert desk.act() > 0
    [moved] = desk.tasks()
    assert moved["summary"] == f"Escalated: {task['summary']}"
    assert (moved["user_id"][0], moved["date_deadline"]) == (user, "2026-03-03")
    assert moved["note"] == task["note"]
    at(500)
    tell(desk.told("exception", 1, "customs_hold"), desk.told("exception", 30, "customs_hold"), policy=policy)
    desk.act()
    assert desk.tasks() == [moved]


@pytest.mark.requirement("M21")
def test_after_a_day_of_downtime_it_moves_on_once_too(desk: Desk, tell: Any, at: Any, boss: Any) -> None:
    policy, user = boss
    tell(desk.told("exception", 1, "customs_hold"), policy=policy)
    desk.act()
    at(1 + 48 + 24)
    desk.act()
    [moved] = desk.tasks()
    assert (moved["user_id"][0], moved["date_deadline"]) == (user, "2026-03-03")
    assert desk.act() == 0


@pytest.mark.requirement("M21", "M19")
def test_what_is_resolved_in_time_never_moves_on(desk: Desk, tell: Any, at: Any) -> None:
    tell(desk.told("exception", 1, "customs_hold"))
    desk.act()
    tell(desk.told("customs_released", 20))
    desk.act()
    at(100)
    assert desk.act() == 0
    assert desk.tasks() == []


@pytest.mark.requirement("M19", "M21")
def test_a_task_closed_by_hand_stays_closed_and_a_new_stretch_of_the_trouble_is_a_new_task(
    desk: Desk, tell: Any, at: Any
) -> None:
    held = desk.told("exception", 1, "customs_hold")
    tell(held)
    desk.act()
    [task] = desk.tasks()
    desk.odoo.call("mail.activity", "action_feedback", [task["id"]], feedback="Called customs")
    tell(held, desk.told("exception", 3, "customs_hold"))
    desk.act()
    at(100)
    desk.act()
    assert desk.tasks() == []
    tell(desk.told("in_transit", 110), desk.told("exception", 120, "customs_hold"))
    desk.act()
    [again] = desk.tasks()
    assert again["id"] != task["id"]


@pytest.mark.requirement("M19", "M51")
def test_an_earlier_report_that_comes_late_makes_no_second_task(desk: Desk, tell: Any) -> None:
    tell(desk.told("exception", 5, "customs_hold"))
    desk.act()
    before = desk.tasks()
    tell(desk.told("exception", 1, "customs_hold"))
    desk.act()
    assert desk.tasks() == before


@pytest.mark.requirement("M19")
def test_a_task_is_closed_when_the_carrier_takes_back_what_it_told(desk: Desk, tell: Any) -> None:
    tell(desk.told("in_transit", 0), desk.told("exception", 1, "customs_hold", provider_event_id="E1"))
    desk.act()
    assert len(desk.tasks()) == 1
    tell(desk.told("in_transit", 2, retracts="E1", code="R"))
    desk.act()
    assert desk.tasks() == []


@pytest.mark.requirement("M18", "M64")
def test_when_the_policy_changes_the_kind_of_task_the_one_that_was_is_closed(desk: Desk, tell: Any) -> None:
    tell(desk.told("exception", 1, "customs_hold"))
    desk.act()
    tell(desk.told("exception", 2, "customs_hold"), policy=with_rule(task=Task.NONE))
    desk.act()
    assert desk.tasks() == []


# ---- what does not depend on which Odoo it is


@pytest.fixture
def stand_in(engine: Engine, fake: FakeOdoo) -> Desk:
    odoo = connect(fake.settings())
    setup.apply(odoo)
    delivery = fake.seed(2)[1]
    return Desk(engine, odoo, delivery["picking_id"], delivery["tracking"][0])


@pytest.mark.requirement("M21", "M129")
def test_while_odoo_is_away_the_time_to_move_on_is_not_missed(
    stand_in: Desk, fake: FakeOdoo, tell: Any, at: Any
) -> None:
    tell(stand_in.told("exception", 1, "customs_hold"))
    stand_in.act()
    fake.away = True
    at(60)
    with pytest.raises(OdooAway):
        stand_in.act()
    at(80)
    fake.away = False
    stand_in.act()
    assert stand_in.tasks()[0]["summary"].startswith("Escalated: ")


@pytest.mark.requirement("M21", "M58")
def test_a_replay_after_a_task_moved_on_writes_nothing(stand_in: Desk, tell: Any, at: Any) -> None:
    story = [stand_in.told("in_transit", 0), stand_in.told("exception", 1, "customs_hold")]
    tell(*story)
    stand_in.act()
    at(60)
    stand_in.act()
    tell(*story)
    at(61)
    assert stand_in.act() == 0


@pytest.mark.requirement("M10", "M21")
def test_the_open_ones_are_listed_by_severity_age_and_clock_and_counted(
    engine: Engine, stand_in: Desk, fake: FakeOdoo, tell: Any, at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exceptions, "open_store", lambda: engine)
    others = [Desk(engine, stand_in.odoo, d["picking_id"], d["tracking"][0]) for d in fake.seed(3)]
    tell(
        stand_in.told("exception", 1, "customs_hold"),
        others[0].told("exception", 40, "damaged"),
        others[1].told("delayed", 0, "carrier_delay"),
        others[2].told("exception", 2, "customs_hold"),
        others[2].told("customs_released", 3),
    )
    stand_in.act()
    at(50)
    stand_in.act()

    def listed(*options: str) -> list[str]:
        result = CliRunner().invoke(exceptions.exceptions, ["--json", *options], catch_exceptions=False)
        return [json.loads(line)["category"] for line in result.output.splitlines()]

    assert listed() == ["customs_hold", "damaged", "carrier_delay"]
    assert listed("--sort", "severity") == ["damaged", "customs_hold", "carrier_delay"]
    assert listed("--sort", "age") == ["carrier_delay", "customs_hold", "damaged"]
    assert listed("--overdue") == listed("--owner", "customs") == ["customs_hold"]
    lines = CliRunner().invoke(exceptions.exceptions, []).output
    assert "open for 2 d, overdue by 25 h  escalated" in lines
    assert "open for 10 h, 14 h left" in lines
    assert "3 open, 1 overdue" in lines
    Health(load_settings({}), None, engine, None).measure()
    assert metrics.EXCEPTIONS_OPEN.labels("customs_hold")._value.get() == 1
    assert metrics.EXCEPTIONS_OPEN.labels("weather")._value.get() == 0
    assert metrics.EXCEPTIONS_OVERDUE._value.get() == metrics.EXCEPTIONS_ESCALATED._value.get() == 1


def test_what_was_closed_by_hand_does_not_count_as_escalated(
    engine: Engine, stand_in: Desk, tell: Any, at: Any
) -> None:
    tell(stand_in.told("exception", 1, "customs_hold"))
    stand_in.act()
    stand_in.odoo.call("mail.activity", "action_feedback", [stand_in.tasks()[0]["id"]], feedback="Done")
    at(60)
    stand_in.act()
    with engine.connect() as connection:
        counted = count_trouble(connection)
    assert (counted.overdue, counted.escalated) == (1, 0)


WANTED = """
    select key, payload from effects
    where kind in ('delivery', 'order') or (kind = 'activity' and payload -> 'open' = 'true') order by key
"""


@pytest.mark.requirement("M19", "M21", "M51")
@examples(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(chance=st.randoms(use_true_random=False))
def test_any_order_batching_and_repetition_want_the_same_open_tasks(
    chance: random.Random, engine: Engine, register: Callable[..., None], at: Any
) -> None:
    """Closed tasks are left out: an order in which trouble was taken back before it was told of has none."""
    story = [
        told(milestone, hours, category, tracking_number=number, provider_event_id=f"{number}{hours}")
        for number in ("A1", "B1")
        for milestone, hours, category in (
            ("in_transit", 0, None),
            ("exception", 1, "customs_hold"),
            ("exception", 2, "customs_hold"),
            ("in_transit", 3, None),
            ("exception", 4, "customs_hold"),
            ("exception", 5, "damaged" if number == "A1" else "customs_hold"),
        )
    ]
    story.append(told("in_transit", 6, tracking_number="B1", retracts="B13", code="R"))

    def play(events: Sequence[Event], size: int) -> list[Any]:
        at(0)
        with engine.begin() as connection:
            connection.execute(
                text("truncate messages, events, parcels, shipments, numbers, effects restart identity cascade")
            )
        register(1, "A1", "B1", order_id=9)
        for start in range(0, len(events), size):
            ingest_batch(engine, [understood(e, received_at=arrived) for e in events[start : start + size]], POLICY)
        with engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(WANTED))]

    arrived = now()  # Odoo is shown the quarter of an hour, and one may end in between
    in_order = play(story, len(story))
    assert [p["exception_category"] for k, p in in_order if k.startswith("activity")]
    shuffled = [*story, *chance.choices(story, k=6)]
    chance.shuffle(shuffled)
    assert play(shuffled, chance.choice([1, 3, 50])) == in_order


def test_the_clock_of_these_tests_is_the_one_the_store_goes_by(engine: Engine, at: Any) -> None:
    at(7)
    with engine.connect() as connection:
        shown: datetime = connection.execute(text("select now()")).scalar_one()
    assert shown == START + timedelta(hours=7)
