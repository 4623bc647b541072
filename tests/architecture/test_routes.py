"""Every address says who may ask, and there is none that nobody thought about."""

import inspect

from app import health, odoo
from app.factory import create_app
from app.receiver import routes
from app.receiver.keeper import Keeper
from config.settings import load_settings

AUTHENTICATION = {
    "receiver.take_in": (routes, "the carrier's own proof on every POST"),
    "odoo.take_ring": (odoo, "a secret word at the end of the address"),
    "health.livez": (health, "/livez and /readyz none"),
    "health.readyz": (health, "/livez and /readyz none"),
    "health.show_metrics": (health, "/metrics a bearer token, or loopback only"),
}


def test_every_route_states_its_authentication() -> None:
    app = create_app(load_settings({}), keeper=Keeper(None, None, max_length=1, wake=lambda lane: None), carriers=[])
    assert set(app.view_functions) == set(AUTHENTICATION)
    for module, words in AUTHENTICATION.values():
        assert "Authentication: " in (inspect.getdoc(module) or "")
        assert words in (inspect.getdoc(module) or "")
