"""Makes the web application: `serve()` for a server process (see app/doorstep.py), `create_app(settings)` in a test."""

from collections.abc import Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

from app import health, odoo
from app.problem import answer_problems
from app.receiver import routes
from app.receiver.desk import open_desks
from app.receiver.keeper import Keeper, connect_briefly
from app.receiver.receive import Receiver
from app.receiver.together import Together
from app.receiver.waker import Waker
from carriers import all_carriers
from carriers.base import Carrier
from config import logging as log_lines
from config import sentry
from config.collector import collect_seldom
from config.metrics import FALLBACKS, Ledger
from config.settings import Settings, get_settings
from shipments.store.database import make_engine
from shipments.store.seal import Seal
from workers.enqueue import wake_correlate, wake_ingest

_SECURITY_HEADERS = [
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("Cache-Control", "no-store"),
]


def create_app(
    settings: Settings | None = None,
    *,
    keeper: Keeper | None = None,
    carriers: Iterable[Carrier] | None = None,
    ledger: Ledger | None = None,
    bell: odoo.Bell | None = None,
) -> Flask:
    """The application. Connects to nothing until it is asked; what is not given is made from the settings."""
    settings = settings or get_settings()
    keeper = keeper or make_keeper(settings)
    desks = open_desks(all_carriers() if carriers is None else carriers, settings)
    seal = Seal(settings.secret_key) if settings.secret_key else None
    app = Flask("milepost", static_folder=None)
    answer_problems(app)
    receiver = Receiver(desks, keeper, seal, settings.max_body_bytes)
    app.register_blueprint(routes.routes(receiver))
    app.register_blueprint(odoo.routes(settings.odoo_webhook_words, bell or odoo.Bell(wake_correlate)))
    app.wsgi_app = _secured(routes.straight(app, receiver))  # type: ignore[method-assign,assignment]
    parts = health.Health(settings, keeper.intake, keeper.engine, ledger)
    app.register_blueprint(health.routes(parts, settings))
    return app


def make_keeper(settings: Settings) -> Keeper:
    """The stores that the settings name, behind short timeouts."""
    return Keeper(
        Together(settings.redis_url) if settings.redis_url else None,
        make_engine(settings.database_url, pool_size=8) if settings.database_url else None,
        max_length=settings.max_stream_length,
        wake=Waker(wake_ingest),
        fell_back=FALLBACKS.inc,
    )


def serve() -> Flask:
    """The application as a server process runs it: with log lines, error reports, and counts that are posted."""
    settings = get_settings()
    log_lines.configure(settings, "web")
    collect_seldom()
    sentry.configure(settings)
    ledger = Ledger(connect_briefly(settings.redis_url)) if settings.redis_url else None
    if ledger:
        ledger.keep_posting()
    return create_app(settings, ledger=ledger)


def _secured(application: WSGIApplication) -> WSGIApplication:
    """With the security headers an answer does not have of its own. Here, as after_request takes ten times as long."""

    def secured(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        def start_securely(status: str, headers: list[tuple[str, str]], *fault: Any) -> Any:
            own = {name.lower() for name, _ in headers}
            return start(status, headers + [h for h in _SECURITY_HEADERS if h[0].lower() not in own], *fault)

        return application(environ, start_securely)

    return secured
