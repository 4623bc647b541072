"""Health and metrics as a supervisor sees them."""

import re

import pytest
from fakeredis import FakeRedis
from flask.testing import FlaskClient

from app.factory import create_app
from app.receiver.keeper import Keeper
from config.embedded.servers import Servers
from config.metrics import Ledger
from config.settings import load_settings
from shipments.store.database import make_engine
from shipments.store.intake import Intake
from tests.app.conftest import KEY
from tests.app.test_keeper import NOWHERE_DATABASE
from tests.bench.databases import replace_database


def client_of(database_url: str = NOWHERE_DATABASE, redis: FakeRedis | None = None, **environ: str) -> FlaskClient:
    settings = load_settings({"MILEPOST_SECRET_KEY": KEY} | environ)
    keeper = Keeper(Intake(redis) if redis else None, make_engine(database_url), max_length=9, wake=lambda lane: None)
    return create_app(settings, keeper=keeper, carriers=[], ledger=Ledger(redis) if redis else None).test_client()


def test_the_process_is_alive_whatever_is_away() -> None:
    assert client_of().get("/livez").status_code == 200


def test_with_everything_there_it_is_ready(clean: None, database_url: str, redis_url: str) -> None:
    settings = load_settings(
        {"MILEPOST_SECRET_KEY": KEY, "MILEPOST_REDIS_URL": redis_url, "MILEPOST_DATABASE_URL": database_url}
    )
    response = create_app(settings, carriers=[]).test_client().get("/readyz")
    assert (response.status_code, response.json["status"], response.json["degraded"]) == (200, "ready", [])


def test_with_one_store_it_is_degraded_and_still_ready() -> None:
    response = client_of(redis=FakeRedis()).get("/readyz")
    assert (response.status_code, response.json["status"]) == (200, "degraded")
    assert "postgresql" in response.json["degraded"]


@pytest.mark.parametrize("lacking", ["stores", "key"])
def test_where_no_message_can_be_kept_it_is_not_ready(lacking: str) -> None:
    client = client_of() if lacking == "stores" else client_of(redis=FakeRedis(), MILEPOST_SECRET_KEY="")
    response = client.get("/readyz")
    assert (response.status_code, response.json["status"]) == (503, "away")


def test_readiness_names_no_address_and_no_password() -> None:
    told = client_of("postgresql://user:hidden-word@127.0.0.1:1/none").get("/readyz").data
    assert b"hidden-word" not in told
    assert b"127.0.0.1" not in told


def test_metrics_are_for_this_machine_only_unless_a_token_is_set() -> None:
    client = client_of(redis=FakeRedis())
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "192.0.2.7"}).status_code == 403


def test_a_token_opens_the_metrics_and_nothing_else_does() -> None:
    client = client_of(redis=FakeRedis(), MILEPOST_METRICS_TOKEN="t0ken")
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer tokens"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer t0ken"}).status_code == 200


def test_metrics_show_the_backlog(clean: None, database_url: str) -> None:
    told = client_of(database_url, FakeRedis()).get("/metrics").text
    for line in (
        "milepost_effects_due 0.0",
        'milepost_stream_length{lane="live"} 0.0',
        'milepost_up{part="redis"} 1.0',
    ):
        assert line in told
    assert re.search(r'milepost_store_bytes\{table="messages"\} [1-9]', told)


def test_without_its_tables_the_database_is_not_ready(servers: Servers) -> None:
    url = f"{servers.database_url.rsplit('/', 1)[0]}/untouched"
    replace_database(url)
    assert "its tables are not there" in client_of(url, FakeRedis()).get("/readyz").text


def test_without_redis_the_counts_are_left_out_rather_than_set_back() -> None:
    told = client_of().get("/metrics").text
    assert 'milepost_up{part="redis"} 0.0' in told
    assert "milepost_received_total{" not in told
