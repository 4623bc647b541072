"""Bulk never starves live on the way to Odoo: what a webhook brought about goes before what a replay did."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from shipments.clock import now
from shipments.effects import Effect, Kind
from shipments.store.effects import claim_effects, save_effects


def effect(subject: int, milestone: str = "in_transit") -> Effect:
    return Effect(f"delivery:{subject}", Kind.DELIVERY, subject, {"milestone": milestone})


@pytest.fixture
def save(engine):
    def save(*effects, told_at=None):
        with engine.begin() as connection:
            save_effects(connection, effects, told_at)

    return save


@pytest.mark.requirement("M133")
def test_what_somebody_waits_for_is_claimed_before_a_heap_that_nobody_waits_for(engine, save):
    save(*map(effect, range(20)))
    save(effect(100), told_at=now())
    save(effect(101), told_at=now())
    with engine.begin() as connection:
        assert {c.subject for c in claim_effects(connection, Kind.DELIVERY, 2)} == {100, 101}
        assert len(claim_effects(connection, Kind.DELIVERY, 30)) == 20


def test_a_replay_that_decides_a_waiting_effect_anew_leaves_it_waited_for_and_since_when(engine, save, rows):
    told_at = now() - timedelta(minutes=1)
    save(effect(1), told_at=told_at)
    save(effect(1, "out_for_delivery"))
    save(effect(1, "delivered"), told_at=now())
    assert rows("select told_at, payload ->> 'milestone' from effects") == [(told_at, "delivered")]


def test_an_effect_that_is_done_is_waited_for_anew_from_the_next_message_on(engine, save, rows):
    save(effect(1), told_at=now() - timedelta(minutes=1))
    with engine.begin() as connection:
        connection.execute(text("update effects set state = 'done'"))
    told_at = now()
    save(effect(1, "delivered"), told_at=told_at)
    assert rows("select told_at from effects") == [(told_at,)]
