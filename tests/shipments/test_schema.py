"""The published form of an event is what docs/schema says."""

import json
from pathlib import Path

import jsonschema
import pytest

from shipments.event import SCHEMA_VERSION
from shipments.milestone import DEFINITIONS, PARTY, ExceptionCategory, Milestone

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "docs" / "schema" / f"event-{SCHEMA_VERSION}.json").read_text())


@pytest.mark.requirement("M22", "M25", "M60")
@pytest.mark.parametrize(
    "sample", sorted(ROOT.glob("carriers/*/samples/*.out.json")), ids=lambda p: f"{p.parts[-3]}/{p.name}"
)
def test_every_carriers_events_have_the_published_form(sample):
    for event in json.loads(sample.read_text()):
        jsonschema.validate(event, SCHEMA)


@pytest.mark.requirement("M22")
def test_the_schema_refuses_what_is_not_an_event():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"carrier": "ups"}, SCHEMA)


@pytest.mark.requirement("M23", "M26", "M27", "M28", "M100")
def test_every_milestone_has_a_meaning_a_rank_and_an_owner_and_every_category_a_party():
    assert set(DEFINITIONS) == set(Milestone)
    assert len({d.rank for d in DEFINITIONS.values()}) == len(Milestone)
    assert all(d.owner and d.meaning.endswith(".") for d in DEFINITIONS.values())
    assert set(PARTY) == set(ExceptionCategory)
    assert SCHEMA["properties"]["milestone"]["enum"] == [m.value for m in Milestone]
