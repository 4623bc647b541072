"""The web application over stores that exist or do not, with a carrier of our own."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fakeredis import FakeRedis
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.factory import create_app
from app.receiver.keeper import Keeper
from carriers.base import Answer, Carrier, Reading, Request
from carriers.codes import CodeTable
from carriers.proof import HmacProof
from config.settings import load_settings
from shipments.store.intake import Intake

KEY = "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
BODY = '{ "parcel": "MP-1001", "place": "Köln" }'.encode()


def greet(request: Request) -> Answer | None:
    """Wants its challenge back, as some carriers do."""
    challenge = request.query.get("challenge")
    return Answer(200, challenge.encode()) if challenge else None


def make_carrier(tmp_path: Path, name: str = "acme", **changes: object) -> Carrier:
    table = tmp_path / "codes.csv"
    table.write_text("code,milestone,exception_category,meaning,source,note\n", encoding="utf-8")
    carrier = Carrier(
        name=name,
        title="Acme Parcels",
        proof=HmacProof(header="x-acme-signature"),
        parse=lambda message: Reading(notice=f"{len(message.body)} bytes"),
        codes=CodeTable(table),
        greet=greet,
        kept_headers=("x-acme-topic",),
    )
    return replace(carrier, **changes)  # type: ignore[arg-type]


@dataclass
class Door:
    """The receiver as a carrier meets it."""

    client: FlaskClient
    redis: FakeRedis
    carrier: Carrier
    woken: list[str] = field(default_factory=list)

    def prove(self, body: bytes = BODY, secret: str = "new-secret") -> dict[str, str]:
        return self.carrier.proof.prove(body, secret, datetime.now(UTC))

    def post(self, body: bytes = BODY, *, path: str = "/in/acme", **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(path, data=body, headers=self.prove(body) | named)

    def entries(self) -> list[dict[bytes, bytes]]:
        return [fields for _, fields in self.redis.xrange("milepost:intake:live")]


@pytest.fixture
def open_door(tmp_path: Path) -> Callable[..., Door]:
    def make(*, max_length: int = 1000, intake: Intake | None = None, **changes: object) -> Door:
        settings = load_settings(
            {
                "MILEPOST_SECRET_KEY": KEY,
                "MILEPOST_MAX_BODY_BYTES": "1000",
                "CARRIER_ACME_SECRETS": "new-secret,old-secret",
                "CARRIER_ACME__EU_SECRETS": "eu-secret",
            }
        )
        woken: list[str] = []
        redis = FakeRedis()
        keeper = Keeper(intake or Intake(redis), None, max_length=max_length, wake=woken.append)
        carrier = make_carrier(tmp_path, **changes)
        app = create_app(settings, keeper=keeper, carriers=[carrier, make_carrier(tmp_path, "mute")])
        return Door(app.test_client(), redis, carrier, woken)

    return make


@pytest.fixture
def door(open_door: Callable[..., Door]) -> Door:
    return open_door()
