"""Every setting, declared once with a sentence, read from the environment and checked at boot, all faults at once.

Each NAME may also be given as NAME_FILE: the path of a file that holds the value (container and systemd secrets).
"""

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


class BadSettings(Exception):
    """Some settings are wrong. `faults` lists every one, a sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _text(value: str) -> str:
    return value


def _whole(value: str) -> int:
    if not value.isascii() or not value.isdigit():
        raise ValueError("is not a whole number")
    return int(value)


def _port(value: str) -> int:
    if not 1 <= (port := _whole(value)) <= 65535:
        raise ValueError("is not a port between 1 and 65535")
    return port


def _url(*schemes: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value and (urlsplit(value).scheme not in schemes):
            raise ValueError(f"is not a URL that starts with {' or '.join(s + '://' for s in schemes)}")
        return value

    return read


def _choice(*words: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in words:
            raise ValueError(f"is not one of {', '.join(words)}")
        return value

    return read


def _keys(value: str) -> tuple[tuple[str, bytes], ...]:
    """`id:base64` keys of 32 bytes, comma-separated; the first seals, all of them open."""
    keys = []
    for part in filter(None, (p.strip() for p in value.split(","))):
        name, _, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            key = b""
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,16}", name) or len(key) != 32:
            raise ValueError("is not a list of id:key, each key 32 bytes in Base64 (make one with: milepost new-key)")
        keys.append((name, key))
    return tuple(keys)


def setting(
    name: str, sentence: str, read: Callable[[str], Any] = _text, default: str = "", *, secret: bool = False
) -> Any:
    """A field of Settings: where it comes from, what it is for, how it is read, and whether it may ever be shown."""
    return field(metadata={"name": name, "sentence": sentence, "read": read, "default": default, "secret": secret})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What Milepost was told. Made by `load_settings`; a secret is never printed."""

    # where things are
    home: Path = setting(
        "MILEPOST_HOME",
        "Folder of the embedded servers' data, keys and logs.",
        lambda v: Path(v).resolve(),
        ".milepost",
    )
    redis_url: str = setting(
        "MILEPOST_REDIS_URL",
        "Redis or Valkey for intake and for waking workers; empty starts the embedded one.",
        _url("redis", "rediss", "unix"),
        secret=True,
    )
    database_url: str = setting(
        "MILEPOST_DATABASE_URL",
        "PostgreSQL, the store; empty starts the embedded one.",
        _url("postgresql", "postgres"),
        secret=True,
    )
    secret_key: tuple[tuple[str, bytes], ...] = setting(
        "MILEPOST_SECRET_KEY",
        "Keys that seal stored messages, as id:base64 of 32 bytes, comma-separated; the first seals, all open.",
        _keys,
        secret=True,
    )
    environment: str = setting(
        "MILEPOST_ENVIRONMENT", "Name of this deployment in error reports, such as production.", default="development"
    )

    # the doors
    host: str = setting("MILEPOST_HOST", "Address the web server listens on.", default="127.0.0.1")
    port: int = setting("MILEPOST_PORT", "Port of the web server: receiver, health and metrics.", _port, "8080")
    max_body_bytes: int = setting(
        "MILEPOST_MAX_BODY_BYTES", "Largest body a carrier may post, in bytes.", _whole, str(4 * 1024 * 1024)
    )
    max_stream_length: int = setting(
        "MILEPOST_MAX_STREAM_LENGTH",
        "Messages that may wait in one intake stream; above it, new ones go straight to PostgreSQL.",
        _whole,
        "200000",
    )
    metrics_token: str = setting(
        "MILEPOST_METRICS_TOKEN", "Bearer token for /metrics; empty allows it from loopback only.", secret=True
    )
    flower_host: str = setting("MILEPOST_FLOWER_HOST", "Address Flower listens on.", default="127.0.0.1")
    flower_port: int = setting("MILEPOST_FLOWER_PORT", "Port of Flower.", _port, "5555")
    flower_auth: str = setting(
        "MILEPOST_FLOWER_AUTH", "user:password for Flower; `milepost up` makes one if it is empty.", secret=True
    )

    # the hands
    batch_size: int = setting("MILEPOST_BATCH_SIZE", "Messages taken from intake in one transaction.", _whole, "200")
    policy: str = setting("MILEPOST_POLICY", "Path of the policy table; empty uses the one that is shipped.")
    log_level: str = setting(
        "MILEPOST_LOG_LEVEL", "Least severe log line written.", _choice("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"
    )
    sentry_dsn: str = setting(
        "SENTRY_DSN", "Where errors are reported; empty reports none.", _url("https", "http"), secret=True
    )

    # Odoo
    odoo_url: str = setting("ODOO_URL", "Odoo's address, such as https://erp.example.com.", _url("https", "http"))
    odoo_database: str = setting("ODOO_DATABASE", "Name of Odoo's database.")
    odoo_login: str = setting("ODOO_LOGIN", "Login of Milepost's user in Odoo.")
    odoo_api_key: str = setting("ODOO_API_KEY", "API key of that user; lives 90 days at most in Odoo.", secret=True)
    odoo_password: str = setting("ODOO_PASSWORD", "Password of that user, where there is no API key.", secret=True)
    odoo_timeout_seconds: int = setting(
        "ODOO_TIMEOUT_SECONDS", "Longest wait for one answer of Odoo, in seconds.", _whole, "30"
    )

    carrier_secrets: Mapping[str, tuple[str, ...]] = setting(
        "CARRIER_<NAME>_SECRETS",
        "A carrier's live secrets, comma-separated for rotation; CARRIER_<NAME>__<ACCOUNT>_SECRETS for one account.",
        secret=True,
    )

    def secrets_of(self, carrier: str, account: str = "") -> tuple[str, ...]:
        """The live secrets of a carrier, or of one of its accounts; empty if there is none."""
        name = f"{carrier}__{account}" if account else carrier
        return self.carrier_secrets.get(name.upper().replace("-", "_"), ())

    def __repr__(self) -> str:
        shown = (f.name for f in fields(self) if not f.metadata["secret"])
        return f"Settings({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


_CARRIER = re.compile(r"CARRIER_([A-Z0-9_]+)_SECRETS(_FILE)?")


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of that environment (the process's own by default). Raises BadSettings listing every fault."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    faults: list[str] = []
    for f in fields(Settings):
        if f.name == "carrier_secrets":
            continue
        name = f.metadata["name"]
        try:
            values[f.name] = f.metadata["read"](_value(environ, name) or f.metadata["default"])
        except (ValueError, OSError) as fault:
            faults.append(f"{name} {fault}: {f.metadata['sentence']}")
    try:
        values["carrier_secrets"] = _carrier_secrets(environ)
    except OSError as fault:
        faults.append(f"CARRIER_<NAME>_SECRETS_FILE {fault}")
    if faults:
        raise BadSettings(faults)
    return Settings(**values)


@cache
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return load_settings()


def _value(environ: Mapping[str, str], name: str) -> str:
    path = environ.get(name + "_FILE")
    if not path:
        return environ.get(name, "").strip()
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as fault:
        raise OSError(f"cannot be read from the file {path} ({fault.strerror})") from None


def _carrier_secrets(environ: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """CARRIER_UPS_SECRETS=a,b gives {"UPS": ("a", "b")}."""
    found = {}
    for name in environ:
        if match := _CARRIER.fullmatch(name):
            value = _value(environ, name.removesuffix("_FILE"))
            found[match[1]] = tuple(filter(None, (s.strip() for s in value.split(","))))
    return found
