"""Every queue has a worker wherever Milepost is run, and no worker waits at a queue that does not exist."""

import re
from pathlib import Path

import pytest
import yaml

from app.commands.up import shows_progress
from config.alive import SILENT_SECONDS
from config.queues import QUEUES

ROOT = Path(__file__).parents[2]
PROCFILE = (ROOT / "Procfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]


def queues_served(lines: list[str]) -> list[str]:
    return sorted(name for line in lines for queues in re.findall(r" -Q (\S+)", line) for name in queues.split(","))


def compose_lines() -> list[str]:
    return [str(service.get("command", "")) for service in COMPOSE.values()]


@pytest.mark.parametrize("lines", [PROCFILE.splitlines(), compose_lines()], ids=["Procfile", "docker-compose.yml"])
def test_every_queue_has_exactly_one_kind_of_worker(lines: list[str]) -> None:
    assert queues_served([line for line in lines if not line.startswith("#")]) == sorted(QUEUES)


def test_live_and_bulk_never_share_a_worker() -> None:
    for line in [*PROCFILE.splitlines(), *compose_lines()]:
        assert not {"ingest.live", "ingest.bulk"} <= set(queues_served([line]))


def test_the_compose_file_runs_every_process_of_the_procfile() -> None:
    assert set(re.findall(r"^([a-z]+):", PROCFILE, re.MULTILINE)) <= set(COMPOSE)


@pytest.mark.requirement("X20")
def test_every_worker_and_beat_is_kept_and_shows_a_sign_of_life() -> None:
    lines = dict(re.findall(r"^([a-z]+): (.*)", PROCFILE, re.MULTILINE))
    watched = {name for name, line in lines.items() if shows_progress(line)}
    assert watched == {name for name, line in lines.items() if "-A workers.celery" in line} - {"flower"}
    for name in watched:
        command = COMPOSE[name]["command"]
        assert f"config.embedded.keep {name} --home /tmp --silent-seconds {SILENT_SECONDS} " in command
        assert COMPOSE[name]["healthcheck"]["test"][-2:] == ["config.alive", f"/tmp/run/{name}.alive"]


def test_only_the_web_server_is_published_to_the_network() -> None:
    published = {
        name: [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:")]
        for name, service in COMPOSE.items()
    }
    assert [name for name, ports in published.items() if ports] == ["web"]


def test_valkey_in_containers_writes_to_disk_before_it_answers_and_never_evicts() -> None:
    command = str(COMPOSE["valkey"]["command"])
    assert all(
        words in command
        for words in (
            "--appendonly yes",
            "--appendfsync always",
            "--auto-aof-rewrite-min-size 256mb",
            "maxmemory-policy noeviction",
        )
    )


@pytest.mark.requirement("X22", "M92")
def test_in_containers_a_new_key_for_odoo_is_seen_without_a_restart_and_only_the_service_keys_writes_it() -> None:
    folder = "./secrets/odoo:/run/odoo"
    mounted = {
        name: service.get("volumes", [])
        for name, service in COMPOSE.items()
        if service.get("environment", {}).get("ODOO_API_KEY_FILE") == "/run/odoo/api_key"
    }
    assert {"act", "worker", "bulk", "beat", "keys"} <= set(mounted)
    # a file that is mounted alone stays the old one in the container when another is put in its place
    assert all(volumes == ([folder] if name == "keys" else [f"{folder}:ro"]) for name, volumes in mounted.items())
