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
from ipaddress import IPv4Network, IPv6Network, ip_network
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


def _count(value: str) -> int:
    if not (count := _whole(value)):
        raise ValueError("is not at least 1")
    return count


def _calls(value: str) -> int:
    if (calls := _whole(value)) < 30:
        raise ValueError("is not at least 30: what takes several calls would never be done")
    return calls


def _port(value: str) -> int:
    if not 1 <= (port := _whole(value)) <= 65535:
        raise ValueError("is not a port between 1 and 65535")
    return port


def _hour(value: str) -> int:
    if (hour := _whole(value)) > 23:
        raise ValueError("is not an hour from 0 to 23")
    return hour


def _days(value: str) -> int:
    if (days := _whole(value)) > 36500:
        raise ValueError("is more than a hundred years of days; 0 is for ever")
    return days


def _url(*schemes: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value and (urlsplit(value).scheme not in schemes):
            raise ValueError(f"is not a URL that starts with {' or '.join(s + '://' for s in schemes)}")
        return value

    return read


def _networks(value: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part) for part in filter(None, (p.strip() for p in value.split(","))))
    except ValueError as fault:
        raise ValueError(f"is not a list of networks such as 20.65.16.22/31 ({fault})") from None


def _folder(value: str) -> str:
    if value and not Path(value).is_dir():
        raise ValueError("is not a folder")
    return value


def _file(value: str) -> str:
    if value and not Path(value).is_file():
        raise ValueError("is not a file")
    return value


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


def _several(value: str) -> tuple[str, ...]:
    """Comma-separated texts."""
    return tuple(filter(None, (part.strip() for part in value.split(","))))


def _words(value: str) -> tuple[str, ...]:
    """Secrets that stand in an address, comma-separated for rotation."""
    words = _several(value)
    if not all(re.fullmatch(r"[A-Za-z0-9_-]{20,}", word) for word in words):
        raise ValueError("is not made of 20 or more letters, digits, - and _")
    return words


def _safe_url(value: str) -> str:
    """An address that credentials may be sent to: by TLS, or on this machine."""
    parts = urlsplit(value)
    is_safe = parts.scheme == "https" and parts.hostname
    is_here = parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    if value and not (is_safe or is_here):
        raise ValueError("is not a URL that starts with https:// (http:// is for this machine alone)")
    return value.rstrip("/")


_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _limits(value: str) -> tuple[tuple[int, float], ...]:
    """10/s,1/5s,5000/d gives ((10, 1), (1, 5), (5000, 86400))."""
    limits = []
    for part in _several(value):
        written = re.fullmatch(r"([1-9]\d{0,8})/([1-9]\d{0,4})?([smhd])", part)
        if not written:
            raise ValueError("is not a list such as 10/s,1/5s,5000/d: calls, a slash, and s, m, h or d")
        limits.append((int(written[1]), float(int(written[2] or 1) * _SECONDS[written[3]])))
    return tuple(limits)


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
    web_processes: int = setting(
        "MILEPOST_WEB_PROCESSES", "Processes of the web server; each uses a core at most.", _count, "2"
    )
    public_url: str = setting(
        "MILEPOST_PUBLIC_URL",
        "Address carriers reach Milepost at, such as https://hooks.example.com; for proofs that sign the address.",
        _url("https", "http"),
    )
    proxies: int = setting(
        "MILEPOST_PROXIES",
        "Proxies of ours in front of the web server, each adding to X-Forwarded-For; 0 believes none of it.",
        _whole,
        "0",
    )
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
    batch_size: int = setting("MILEPOST_BATCH_SIZE", "Messages taken from intake in one transaction.", _count, "500")
    policy: str = setting("MILEPOST_POLICY", "Path of the policy table; empty uses the one that is shipped.")
    log_level: str = setting(
        "MILEPOST_LOG_LEVEL", "Least severe log line written.", _choice("DEBUG", "INFO", "WARNING", "ERROR"), "INFO"
    )
    sentry_dsn: str = setting(
        "SENTRY_DSN", "Where errors are reported; empty reports none.", _url("https", "http"), secret=True
    )

    # how long what is kept
    keep_messages_days: int = setting(
        "MILEPOST_KEEP_MESSAGES_DAYS", "Days a message is kept after it arrived; 0 for ever.", _days, "90"
    )
    keep_parked_days: int = setting(
        "MILEPOST_KEEP_PARKED_DAYS",
        "Days a parked message is kept if nobody deals with it, at least as long as others; 0 until somebody does.",
        _days,
        "0",
    )
    keep_parcels_days: int = setting(
        "MILEPOST_KEEP_PARCELS_DAYS",
        "Days a parcel is kept, with its events and effects, after it was last heard of; 0 for ever.",
        _days,
        "400",
    )

    # carriers; the registry in carriers/ reads these two itself, since `milepost parse` needs no settings
    sources: str = setting(
        "MILEPOST_SOURCES", "Folder of sources described in *.toml, beside the carriers that are shipped.", _folder
    )
    codes: str = setting(
        "MILEPOST_CODES", "CSV file in which the operator maps or remaps carriers' codes, with owner and reason.", _file
    )

    # Odoo
    odoo_url: str = setting("ODOO_URL", "Odoo's address, such as https://erp.example.com.", _url("https", "http"))
    odoo_database: str = setting("ODOO_DATABASE", "Name of Odoo's database.")
    odoo_login: str = setting("ODOO_LOGIN", "Login of Milepost's user in Odoo.")
    odoo_api_keys: tuple[str, ...] = setting(
        "ODOO_API_KEY",
        "API keys of that user, comma-separated for rotation: the first that Odoo takes; they live 90 days at most.",
        _several,
        secret=True,
    )
    odoo_api_key_file: str = setting(
        "ODOO_API_KEY_FILE",
        "File that holds them instead; read again when Odoo refuses a key, written by `milepost odoo rotate-key`.",
    )
    odoo_password: str = setting("ODOO_PASSWORD", "Password of that user, where there is no API key.", secret=True)
    reconcile_hour: int = setting(
        "MILEPOST_RECONCILE_HOUR", "Hour of the day, in UTC, after which Odoo is compared with the store.", _hour, "1"
    )
    odoo_timeout_seconds: int = setting(
        "ODOO_TIMEOUT_SECONDS", "Longest wait for one answer of Odoo, in seconds.", _whole, "30"
    )

    odoo_calls_per_minute: int = setting(
        "ODOO_CALLS_PER_MINUTE",
        "Most calls to Odoo in a minute, by all processes together; half of them for what is not written there.",
        _calls,
        "600",
    )
    odoo_concurrent_calls: int = setting(
        "ODOO_CONCURRENT_CALLS", "Most calls to Odoo under way at once, by all processes together.", _count, "2"
    )
    odoo_slow_seconds: int = setting(
        "ODOO_SLOW_SECONDS",
        "Odoo is written to at half the pace, and half again, while 5 of 100 answers take more seconds than this.",
        _count,
        "5",
    )
    odoo_webhook_words: tuple[str, ...] = setting(
        "ODOO_WEBHOOK_WORD",
        "Secret in the address Odoo's automation rule posts to, 20 letters and digits or more; empty closes it.",
        _words,
        secret=True,
    )

    carrier_secrets: Mapping[str, tuple[str, ...]] = setting(
        "CARRIER_<NAME>_SECRETS",
        "A carrier's live secrets, comma-separated for rotation; CARRIER_<NAME>__<ACCOUNT>_SECRETS for one account.",
        _several,
        secret=True,
    )

    carrier_addresses: Mapping[str, tuple[IPv4Network | IPv6Network, ...]] = setting(
        "CARRIER_<NAME>_ADDRESSES",
        "Networks a carrier may call from, comma-separated, such as 20.65.16.22/31; empty asks its proof only.",
        _networks,
    )

    carrier_companies: Mapping[str, int] = setting(
        "CARRIER_<NAME>_COMPANY",
        "Odoo's id of the company a carrier's account belongs to; CARRIER_<NAME>__<ACCOUNT>_COMPANY for one account.",
        _count,
    )

    def networks_of(self, carrier: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """The networks a carrier may call from; empty if none are set."""
        return self.carrier_addresses.get(_named(carrier), ())

    # asking carriers
    polling: str = setting("MILEPOST_POLLING", "Path of the polling table; empty uses the one that is shipped.")
    carrier_api_keys: Mapping[str, str] = setting(
        "CARRIER_<NAME>_API_KEY", "The key a carrier is asked with, where it wants one.", secret=True
    )
    carrier_client_ids: Mapping[str, str] = setting(
        "CARRIER_<NAME>_CLIENT_ID", "The OAuth client id a carrier is asked with, where it wants one.", secret=True
    )
    carrier_client_secrets: Mapping[str, str] = setting(
        "CARRIER_<NAME>_CLIENT_SECRET", "The secret that belongs to that client id.", secret=True
    )
    carrier_poll_urls: Mapping[str, str] = setting(
        "CARRIER_<NAME>_POLL_URL", "Another address to ask a carrier at, such as its sandbox.", _safe_url
    )
    carrier_poll_limits: Mapping[str, tuple[tuple[int, float], ...]] = setting(
        "CARRIER_<NAME>_POLL_LIMITS", "The calls your contract with a carrier allows, such as 10/s,5000/d.", _limits
    )

    def secrets_of(self, carrier: str, account: str = "") -> tuple[str, ...]:
        """The live secrets of a carrier, or of one of its accounts; empty if there is none."""
        name = f"{carrier}__{account}" if account else carrier
        return self.carrier_secrets.get(_named(name), ())

    def credentials_of(self, carrier: str) -> dict[str, str]:
        """What a carrier is asked with: api_key, client_id and client_secret, each empty if it is not set."""
        name = _named(carrier)
        return {
            "api_key": self.carrier_api_keys.get(name, ""),
            "client_id": self.carrier_client_ids.get(name, ""),
            "client_secret": self.carrier_client_secrets.get(name, ""),
        }

    def poll_url_of(self, carrier: str) -> str:
        """Where a carrier is asked instead of at its own address; empty for that."""
        return self.carrier_poll_urls.get(_named(carrier), "")

    def poll_limits_of(self, carrier: str) -> tuple[tuple[int, float], ...]:
        """The calls a carrier allows instead of what it documents, as (calls, seconds); empty for those."""
        return self.carrier_poll_limits.get(_named(carrier), ())

    def __repr__(self) -> str:
        shown = (f.name for f in fields(self) if not f.metadata["secret"])
        return f"Settings({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"


_EACH = "<NAME>"


def load_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of that environment (the process's own by default). Raises BadSettings listing every fault."""
    environ = os.environ if environ is None else environ
    values: dict[str, Any] = {}
    faults: list[str] = []
    for f in fields(Settings):
        name, read = f.metadata["name"], f.metadata["read"]
        each = _names_of_each(environ, name) if _EACH in name else {"": name}
        found = {}
        for carrier, full_name in each.items():
            try:
                found[carrier] = read(_value(environ, full_name) or f.metadata["default"])
            except (ValueError, OSError) as fault:
                faults.append(f"{full_name} {fault}: {f.metadata['sentence']}")
        values[f.name] = found if _EACH in name else found.get("")
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


def _named(carrier: str) -> str:
    return carrier.upper().replace("-", "_")


def _names_of_each(environ: Mapping[str, str], name: str) -> dict[str, str]:
    """The settings of that name that are there, by carrier: {"UPS": "CARRIER_UPS_SECRETS"}."""
    head, _, tail = name.partition(_EACH)
    pattern = re.compile(f"{re.escape(head)}([A-Z0-9_]+){re.escape(tail)}(?:_FILE)?")
    return {found[1]: f"{head}{found[1]}{tail}" for each in environ if (found := pattern.fullmatch(each))}
