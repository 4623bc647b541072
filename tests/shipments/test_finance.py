"""What finance is told: a function of the set of events, a flag and what is wrong with it."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipments.delivery import Delivery
from shipments.effects import Kind
from shipments.errors import SetupFault
from shipments.event import Leg, ProofOfDelivery
from shipments.fold import Standing, fold, roll_up
from shipments.rules.finance import Finance, decide_billing, decide_order_billing
from shipments.rules.policy import load_policy
from tests.shipments.telling import START, entries, stored, told
from workers.resources import SHIPPED_POLICY

DELIVERY = Delivery(7, "WH/OUT/00007", ("T1",), 3, "S00003", 1, START, START, 2)
SIGNED = ProofOfDelivery(signed_by="Front desk")


def standing(*events):
    return fold(entries(*events))[-1]


def billing(*events, finance=None, before=None):
    """The payload of what finance is told of a delivery after these events; None if nothing."""
    journeys = fold(entries(*events))
    effects = list(decide_billing(DELIVERY, journeys[-1] if journeys else None, before, finance or Finance()))
    assert [e.key for e in effects] in ([], ["billing:7"])
    return effects[0].payload if effects else None


def of_order(*standings, finance=None):
    return {e.key: e.payload for e in decide_order_billing(3, list(enumerate(standings, 1)), finance or Finance())}


@pytest.mark.requirement("M5", "M77", "M78")
def test_a_delivered_parcel_is_billable_with_time_and_signatory():
    payload = billing(told("in_transit", 1), told("delivered", 9, proof_of_delivery=SIGNED))
    assert payload == {
        "of": "delivery",
        "order_id": 3,
        "billable": True,
        "delivered_at": "2026-03-01T17:00:00+00:00",
        "delivered_text": "2026-03-01T17:00:00+00:00",
        "signed_by": "Front desk",
        "check": None,
    }
    assert billing(told("in_transit", 1)) is None


@pytest.mark.requirement("M5")
def test_where_the_policy_wants_proof_the_carriers_word_alone_is_not_enough():
    finance = Finance(billable_on="proof")
    assert not billing(told("delivered", 9), finance=finance)["billable"]
    proof = told("info_received", 12, proof_of_delivery=SIGNED)
    assert billing(told("delivered", 9), proof, finance=finance)["billable"]
    photo = told("info_received", 12, proof_of_delivery=ProofOfDelivery(document="https://carrier.example/pod.pdf"))
    assert billing(told("delivered", 9), photo, finance=finance)["billable"]
    when = told("info_received", 12, proof_of_delivery=ProofOfDelivery(at="2026-03-01"))
    assert not billing(told("delivered", 9), when, finance=finance)["billable"], "a time alone proves nothing"


@pytest.mark.requirement("M77")
@pytest.mark.parametrize(
    ("after", "words"),
    [
        (told("return_in_transit", 12, "refused"), "since then: return in transit: refused."),
        (told("delivery_attempted", 12, "address_issue"), "since then: delivery attempted: address issue."),
        (told("returned", 12), "since then: returned."),
    ],
)
def test_what_was_delivered_and_taken_back_is_to_be_checked_with_the_reason(after, words):
    payload = billing(told("delivered", 9), after)
    assert not payload["billable"]
    assert payload["check"].startswith("It was told to be delivered on 2026-03-01 17:00 UTC")
    assert payload["check"].endswith(words)


def test_delivered_once_more_after_a_correction_is_billable_with_nothing_to_check():
    payload = billing(told("delivered", 9), told("delivery_attempted", 12, "address_issue"), told("delivered", 30))
    assert (payload["billable"], payload["check"]) == (True, None)
    assert payload["delivered_at"] == "2026-03-02T14:00:00+00:00"


@pytest.mark.requirement("M77")
def test_a_delivery_that_was_retracted_is_to_be_checked_whichever_arrives_first():
    story = [
        told("out_for_delivery", 5),
        told("delivered", 9, provider_event_id="e1"),
        told("info_received", 10, retracts="e1"),
    ]
    assert billing(*story)["check"].endswith("since then: out for delivery.")
    assert billing(*story) == billing(*reversed(story))


def test_a_delivery_whose_number_was_wiped_after_it_was_delivered_is_to_be_checked():
    before = standing(told("delivered", 9))
    assert billing(before=before)["check"] == "It was billable, and not all of it is delivered any more."
    assert billing(before=standing(told("in_transit", 9))) is None


def test_two_of_three_parcels_are_not_billable():
    delivered, moving = standing(told("delivered", 9)), standing(told("in_transit", 9, tracking_number="T2"))
    together = roll_up([delivered, moving], expected=2)
    (effect,) = decide_billing(DELIVERY, together, None, Finance())
    assert not effect.payload["billable"]
    (alone,) = decide_billing(DELIVERY, roll_up([delivered], expected=2), None, Finance())
    assert not alone.payload["billable"]


def test_signatories_of_several_parcels_are_all_named():
    parts = [
        standing(told("delivered", hours, tracking_number=name, proof_of_delivery=ProofOfDelivery(signed_by=name)))
        for hours, name in ((12, "Second"), (9, "First"))
    ]
    (effect,) = decide_billing(DELIVERY, roll_up(parts, expected=2), None, Finance())
    assert effect.payload["signed_by"] == "First, Second"
    assert effect.payload["delivered_at"] == "2026-03-01T20:00:00+00:00"


@pytest.mark.requirement("M77")
def test_an_order_is_billable_when_all_its_deliveries_are():
    delivered, moving = standing(told("delivered", 9)), standing(told("in_transit", 9))
    assert of_order(moving) == {}
    assert not of_order(delivered, moving)["order_billing:3"]["billable"]
    assert not of_order(delivered, None)["order_billing:3"]["billable"], "nothing was heard of the other yet"
    whole = of_order(delivered, delivered)
    assert whole["order_billing:3"]["billable"]
    assert whole["order_billing:3"]["deliveries"] == [1, 2]
    assert list(whole) == ["order_billing:3"], "no invoice unless the policy asks for one"


def test_a_return_beside_the_deliveries_of_an_order_does_not_hold_its_billing():
    coming_back = standing(told("in_transit", 9, leg=Leg.RETURN), told("delivered", 30, leg=Leg.RETURN))
    assert of_order(standing(told("delivered", 9)), coming_back)["order_billing:3"]["billable"]


@pytest.mark.requirement("M5")
def test_an_invoice_is_asked_for_where_the_policy_says_so():
    finance = Finance(invoice="draft")
    delivered = standing(told("delivered", 9))
    effects = of_order(delivered, finance=finance)
    assert effects["invoice:3"] == {"delivered_at": effects["order_billing:3"]["delivered_at"]}
    taken_back = standing(told("delivered", 9), told("returned", 12))
    assert "invoice:3" not in of_order(taken_back, finance=finance)
    again = standing(told("delivered", 9), told("delivered", 12))
    assert "invoice:3" in of_order(again, finance=finance)


_STORY = [
    told("label_created", 0),
    told("in_transit", 2),
    told("delivered", 9, provider_event_id="e1", piece="A"),
    told("delivered", 10, proof_of_delivery=SIGNED),
    told("delivery_attempted", 12, "address_issue"),
    told("delivered", 20, proof_of_delivery=ProofOfDelivery(signed_by="Neighbor")),
    told("return_in_transit", 30, "refused"),
    told("delivered", 40, leg=Leg.RETURN),
    told("info_received", 41, retracts="e1"),
    told("in_transit", 5, piece="B"),
]


@pytest.mark.requirement("M51", "M77")
@given(st.sets(st.sampled_from(range(len(_STORY))), min_size=1), st.integers())
def test_what_finance_is_told_depends_on_the_set_of_events_alone(chosen, seed):
    events = [_STORY[place] for place in sorted(chosen)]
    shuffled = [*events, *events[:3]]
    random.Random(seed).shuffle(shuffled)
    for finance in (Finance(), Finance("proof"), Finance("delivered", "draft")):
        assert billing(*shuffled, finance=finance) == billing(*events, finance=finance)


@given(st.sets(st.sampled_from(range(len(_STORY))), min_size=1), st.sampled_from(range(len(_STORY))))
def test_what_finance_was_told_is_never_forgotten_by_a_further_event(chosen, further):
    before = billing(*[_STORY[place] for place in sorted(chosen)])
    after = billing(*[_STORY[place] for place in sorted(chosen | {further})])
    if before and before["billable"] and fold(entries(*[_STORY[place] for place in sorted(chosen | {further})])):
        assert after is not None
        assert after["billable"] or after["check"]


def test_what_is_remembered_survives_being_stored():
    for events in (_STORY, _STORY[:4], _STORY[:2]):
        assert Standing.from_dict(stored(standing(*events))) == standing(*events)


def test_faults_of_the_finance_table_are_named_with_their_line(tmp_path):
    path = tmp_path / "policy.toml"
    text = SHIPPED_POLICY.read_text().replace('invoice = "none"', 'invoice = "posted"\nto = "me"')
    path.write_text(text)
    line = text.splitlines().index('invoice = "posted"') + 1
    with pytest.raises(SetupFault) as fault:
        load_policy(path)
    assert f"policy.toml:{line}: invoice must be 'none' or 'draft'" in fault.value.faults
    assert any(f":{line + 1}: 'to' means nothing here" in sentence for sentence in fault.value.faults)


def test_a_policy_without_finance_posts_nothing(tmp_path):
    path = tmp_path / "policy.toml"
    text = SHIPPED_POLICY.read_text()
    start = text.index("[finance]\n")
    path.write_text(text[:start] + text[text.index("[milestone.label_created]") :])
    policy = load_policy(path)
    assert policy.finance == Finance("delivered", "none")
    assert not policy.commitment.move_promise


def test_the_kinds_of_finance_come_after_what_people_wait_for():
    kinds = list(Kind)
    assert kinds.index(Kind.TIMELINE) < kinds.index(Kind.BILLING) < kinds.index(Kind.INVOICE)
