"""A week of the shop in the real Odoo, told once, and people who look at it in a browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine

from config.settings import Settings, load_settings
from tests.conftest import empty
from tests.workers.odoo.seen.story import Week
from tests.workers.odoo.seen.web import WebClient
from workers.odoo import setup
from workers.odoo.client import Odoo, connect
from workers.odoo.user import group_field

_CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_SWITCHES = [
    "--no-sandbox",  # as root, as in containers, there is no other way
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def real() -> Settings:
    """Settings that lead to the real Odoo, in the protocol it speaks to them."""
    if not os.environ.get("ODOO_URL"):
        pytest.skip("ODOO_URL is not set: there is no real Odoo to look at")
    if not os.environ.get("ODOO_PASSWORD"):
        pytest.skip("ODOO_PASSWORD is not set: people sign in to Odoo with a password")
    return load_settings(os.environ | {"ODOO_TIMEOUT_SECONDS": "600"})


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next((path for name in _CHROMIUM if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("there is no Chromium to look with: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_SWITCHES)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Person:
    """A user of Odoo."""

    id: int
    login: str
    password: str


@pytest.fixture(scope="module")
def admin(real: Settings) -> Iterator[Odoo]:
    client = connect(real)
    yield client
    client.close()


@pytest.fixture(scope="module")
def salesperson(admin: Odoo) -> Person:
    """Somebody who sells, sees the own orders, and has no rights in the inventory."""
    [group] = admin.call(
        "ir.model.data",
        "search_read",
        domain=[("module", "=", "sales_team"), ("name", "=", "group_sale_salesman")],
        fields=["res_id"],
    )
    login, password = f"camille-{uuid4().hex[:8]}", uuid4().hex
    values = {"name": "Camille Roy", "login": login, "password": password}
    [user] = admin.call("res.users", "create", vals_list=[values | {group_field(admin): [(6, 0, [group["res_id"]])]}])
    return Person(user, login, password)


@pytest.fixture(scope="module")
def week(admin: Odoo, salesperson: Person, shared_engine: Engine, redis_url: str, database_url: str) -> Week:
    """The shop's week, told."""
    setup.apply(admin)
    empty(redis_url, database_url)
    week = Week(admin, salesperson.id)
    week.tell(shared_engine)
    return week


@pytest.fixture(scope="module")
def open_as(browser: Browser, real: Settings, pytestconfig: pytest.Config) -> Iterator[Callable[[str, str], WebClient]]:
    """Signs somebody in: login, password."""
    folder = pytestconfig.getoption("pictures")
    opened = []

    def open_as(login: str, password: str) -> WebClient:
        web = WebClient(browser, real.odoo_url, Path(folder) if folder else None)
        opened.append(web)
        web.sign_in(login, password)
        return web

    yield open_as
    for web in opened:
        web.close()


@pytest.fixture(scope="module")
def web(open_as: Callable[[str, str], WebClient], real: Settings) -> WebClient:
    """The administrator's browser."""
    return open_as(real.odoo_login, os.environ["ODOO_PASSWORD"])
