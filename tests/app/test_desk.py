"""What the desk hands to the schemes that have to see more than headers and body."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app.problem import Problem
from app.receiver.desk import Desk
from carriers.proof import AddressProof, AllOf, HmacProof, PathProof, Proof, QueryProof, UrlHmacProof
from config.settings import load_settings
from tests.app.conftest import make_carrier

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
BODY = b'{"x": 1}'
SETTINGS = {"CARRIER_ACME_SECRETS": "new-secret,old-secret", "CARRIER_ACME__EU_SECRETS": "eu-secret"}

pytestmark = pytest.mark.requirement("M43")


@pytest.fixture
def is_let_in(tmp_path: Path) -> Callable[..., bool]:
    def ask(proof: Proof, path: str = "/in/acme", headers: dict[str, str] | None = None, **more: str) -> bool:
        """`more` with a name in capitals is a setting, else a part of the WSGI environment."""
        desk = Desk(
            make_carrier(tmp_path, proof=proof),
            load_settings(SETTINGS | {k: v for k, v in more.items() if k.isupper()}),
        )
        environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "PATH_INFO": path, "REMOTE_ADDR": "192.0.2.7"}
        environ |= {k.upper(): v for k, v in more.items() if not k.isupper()}
        last = path.removeprefix("/in/acme").strip("/")
        try:
            desk.verify(desk.account(last), headers or {}, BODY, NOW, environ)
        except Problem:
            return False
        return True

    return ask


def test_a_secret_word_ends_the_address_after_the_account(is_let_in: Callable[..., bool]) -> None:
    proof = AllOf((AddressProof(("192.0.2.0/24",)), PathProof()))
    assert is_let_in(proof, "/in/acme/new-secret")
    assert is_let_in(proof, "/in/acme/old-secret")
    assert is_let_in(proof, "/in/acme/eu.eu-secret")
    for path in (
        "/in/acme",
        "/in/acme/",
        "/in/acme/wrong",
        "/in/acme/eu",
        "/in/acme/eu.new-secret",
        "/in/acme/us.eu-secret",
    ):
        assert not is_let_in(proof, path)
    assert not is_let_in(proof, "/in/acme/new-secret", remote_addr="203.0.113.1")


def test_the_account_is_kept_without_the_secret_word(tmp_path: Path) -> None:
    desk = Desk(make_carrier(tmp_path, proof=PathProof()), load_settings(SETTINGS))
    assert (desk.account("eu.eu-secret"), desk.account("new-secret")) == ("eu", "")


def test_a_secret_may_stand_in_the_query(is_let_in: Callable[..., bool]) -> None:
    assert is_let_in(QueryProof(), query_string="a=b&token=new-secret")
    assert not is_let_in(QueryProof(), query_string="a=b&token=wrong")
    assert not is_let_in(QueryProof())


def test_the_signed_address_is_the_public_one(is_let_in: Callable[..., bool]) -> None:
    url = {"MILEPOST_PUBLIC_URL": "https://hooks.example.com/", "query_string": "x=1"}
    signing = HmacProof(header="x-s", signs=lambda body, stamp: b"https://hooks.example.com/in/acme?x=1" + body)
    headers = signing.prove(BODY, "new-secret", NOW)
    assert is_let_in(UrlHmacProof(header="x-s"), headers=headers, **url)
    assert not is_let_in(UrlHmacProof(header="x-s"), headers=headers)


def test_networks_in_the_settings_are_asked_beside_any_proof(is_let_in: Callable[..., bool]) -> None:
    proof = HmacProof(header="x-s")
    headers = proof.prove(BODY, "new-secret", NOW)
    assert is_let_in(proof, headers=headers, CARRIER_ACME_ADDRESSES="192.0.2.0/24, 2001:db8::/32")
    assert not is_let_in(proof, headers=headers, CARRIER_ACME_ADDRESSES="198.51.100.0/24")
    assert not is_let_in(proof, headers={}, CARRIER_ACME_ADDRESSES="192.0.2.0/24")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "let_in"),
    [
        ("0", "198.51.100.1", False),
        ("1", "198.51.100.1", True),
        ("1", "198.51.100.1, 203.0.113.9", False),
        ("2", "198.51.100.1, 203.0.113.9", True),
        ("2", "198.51.100.1", False),
        ("1", "", False),
    ],
)
def test_only_what_our_own_proxies_say_of_the_sender_is_believed(
    is_let_in: Callable[..., bool], proxies: str, forwarded: str, let_in: bool
) -> None:
    proof = HmacProof(header="x-s")
    headers, settings = proof.prove(BODY, "new-secret", NOW), {"CARRIER_ACME_ADDRESSES": "198.51.100.0/24"}
    settings["MILEPOST_PROXIES"] = proxies
    assert is_let_in(proof, headers=headers, http_x_forwarded_for=forwarded, **settings) == let_in
