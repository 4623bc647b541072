"""How carriers, teams and the times that carriers write read in Odoo."""

import pytest

from workers.odoo.wording import carrier_label, team_label, time_label


@pytest.mark.requirement("M7")
@pytest.mark.parametrize(
    ("name", "label"),
    [("ups", "UPS"), ("dhl_unified", "DHL"), ("laposte", "La Poste / Colissimo"), ("testing", "testing"), (None, "")],
)
def test_a_carrier_is_called_as_people_call_it(name: str | None, label: str) -> None:
    assert carrier_label(name) == label


@pytest.mark.requirement("M24")
@pytest.mark.parametrize(
    ("written", "label"),
    [
        ("2026-11-23T11:00:00+01:00", "2026-11-23 11:00 (UTC+01:00)"),
        ("2026-11-23T11:00:00Z", "2026-11-23 11:00 (UTC)"),
        ("2026-11-23T11:00:00", "2026-11-23 11:00"),
        ("2026-11-23", "2026-11-23"),
        (None, ""),
    ],
)
def test_a_time_keeps_the_zone_its_carrier_means_and_gets_none_where_there_is_none(
    written: str | None, label: str
) -> None:
    assert time_label(written) == label


def test_a_team_keeps_its_spelling() -> None:
    assert [team_label(name) for name in ("customer service", "DC North", None)] == ["Customer service", "DC North", ""]
