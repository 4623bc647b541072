"""How much is done in each form of the run."""

from tests.chaos.faults import Plan

LONG = Plan(
    posts=50_000,
    seconds=330,
    kills_each=10,
    odoo_away_seconds=120,
    odoo_trouble_seconds=12,
    odoo_troubles_each=2,
    odoo_loses_one_in=10,
    odoo_spoils_at_least=20,
    disk_full_seconds=10,
    disk_full_times=3,
    cuts_each=8,
)
SHORT = Plan(
    posts=2_000,
    seconds=40,
    kills_each=1,
    odoo_away_seconds=8,
    odoo_trouble_seconds=4,
    odoo_troubles_each=1,
    odoo_loses_one_in=5,
    odoo_spoils_at_least=0,
    disk_full_seconds=10,
    disk_full_times=1,
    cuts_each=2,
)
