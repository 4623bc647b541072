"""Settings: read from the environment or from files, checked at boot, all faults at once."""

import re
from base64 import b64encode
from pathlib import Path

import pytest

from config.settings import BadSettings, load_settings

KEY = b64encode(b"k" * 32).decode()


def test_an_empty_environment_is_enough() -> None:
    settings = load_settings({})
    assert (settings.port, settings.redis_url, settings.secret_key) == (8080, "", ())


def test_every_fault_is_told_at_once_with_what_the_setting_is_for() -> None:
    with pytest.raises(BadSettings) as caught:
        load_settings({"MILEPOST_PORT": "99999", "MILEPOST_LOG_LEVEL": "loud", "MILEPOST_SECRET_KEY": "k:short"})
    assert [fault.split()[0] for fault in caught.value.faults] == [
        "MILEPOST_SECRET_KEY", "MILEPOST_PORT", "MILEPOST_LOG_LEVEL",
    ]  # fmt: skip
    assert "short" not in str(caught.value)


@pytest.mark.requirement("M86")
def test_a_setting_may_be_the_path_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from-a-file\n", encoding="utf-8")
    settings = load_settings({"MILEPOST_METRICS_TOKEN_FILE": str(path), "CARRIER_UPS_SECRETS_FILE": str(path)})
    assert settings.metrics_token == "from-a-file"
    assert settings.secrets_of("ups") == ("from-a-file",)


def test_a_file_that_is_not_there_is_a_fault() -> None:
    with pytest.raises(BadSettings, match="cannot be read from the file"):
        load_settings({"ODOO_API_KEY_FILE": "/nowhere/key"})


@pytest.mark.requirement("M92")
def test_a_carrier_may_have_several_live_secrets_and_an_account_its_own() -> None:
    settings = load_settings({"CARRIER_UPS_SECRETS": "new, old", "CARRIER_UPS__EU_WEST_SECRETS": "eu"})
    assert settings.secrets_of("ups") == ("new", "old")
    assert settings.secrets_of("ups", "eu-west") == ("eu",)
    assert settings.secrets_of("ups", "us") == ()
    assert settings.secrets_of("fedex") == ()


@pytest.mark.requirement("M86")
def test_no_secret_is_ever_shown() -> None:
    settings = load_settings(
        {
            "MILEPOST_SECRET_KEY": f"k1:{KEY}",
            "MILEPOST_REDIS_URL": "redis://:hush@127.0.0.1/0",
            "MILEPOST_DATABASE_URL": "postgresql://u:hush@127.0.0.1/m",
            "ODOO_API_KEY": "hush",
            "CARRIER_UPS_SECRETS": "hush",
        }
    )
    assert "hush" not in repr(settings)
    assert KEY not in repr(settings)


def test_the_first_key_seals_and_all_are_kept() -> None:
    keys = load_settings({"MILEPOST_SECRET_KEY": f"new:{KEY}, old:{KEY}"}).secret_key
    assert [name for name, _ in keys] == ["new", "old"]


def test_a_carrier_is_asked_with_its_own_credentials_at_its_own_limits(tmp_path) -> None:
    file = tmp_path / "secret"
    file.write_text("s3cr3t\n")
    environ = {
        "CARRIER_DHL_UNIFIED_API_KEY": "key",
        "CARRIER_UPS_CLIENT_ID": "id",
        "CARRIER_UPS_CLIENT_SECRET_FILE": str(file),
        "CARRIER_UPS_POLL_URL": "https://wwwcie.ups.com/",
        "CARRIER_UPS_POLL_LIMITS": "10/s, 1/5s,5000/d",
    }
    settings = load_settings(environ)
    assert settings.credentials_of("dhl_unified") == {"api_key": "key", "client_id": "", "client_secret": ""}
    assert settings.credentials_of("ups") == {"api_key": "", "client_id": "id", "client_secret": "s3cr3t"}
    assert settings.poll_url_of("ups") == "https://wwwcie.ups.com"
    assert settings.poll_limits_of("ups") == ((10, 1), (1, 5), (5000, 86400))
    assert (settings.poll_url_of("fedex"), settings.poll_limits_of("fedex")) == ("", ())
    assert settings.secrets_of("ups") == ()
    assert not [word for word in ("s3cr3t", "'key'", "'id'") if word in repr(settings)]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CARRIER_UPS_POLL_URL", "http://carrier.example.com", "starts with https://"),
        ("CARRIER_UPS_POLL_URL", "https://", "starts with https://"),
        ("CARRIER_UPS_POLL_URL", "ftp://127.0.0.1", "starts with https://"),
        ("CARRIER_UPS_POLL_LIMITS", "fast", "10/s,1/5s,5000/d"),
        ("CARRIER_UPS_POLL_LIMITS", "0/s", "10/s,1/5s,5000/d"),
        ("CARRIER_UPS_API_KEY_FILE", "/nowhere", "cannot be read"),
    ],
)
def test_credentials_go_by_tls_and_limits_say_something(name: str, value: str, words: str) -> None:
    with pytest.raises(BadSettings, match=re.escape(words)) as told:
        load_settings({name: value})
    assert told.value.faults[0].startswith(name.removesuffix("_FILE"))
