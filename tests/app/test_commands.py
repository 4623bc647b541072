"""The small commands, as a person at a terminal meets them."""

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import responses
from click.testing import CliRunner, Result
from sqlalchemy import insert

from app import cli
from app.commands.send_sample import load_sample
from carriers import find_carrier
from carriers.registry import carrier_names
from shipments.clock import new_id, now
from shipments.store.database import make_engine
from shipments.store.schema import events, parcels

ROOT = Path(__file__).parents[2]
SAMPLES = {name: sorted((ROOT / "carriers" / name / "samples").glob("*.in.*")) for name in carrier_names()}


def run(*arguments: str, **options: object) -> Result:
    return CliRunner().invoke(cli.milepost, list(arguments), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", carrier_names())
def test_parse_prints_the_events_that_a_sample_means(name: str) -> None:
    sample = next(p for p in SAMPLES[name] if not p.with_name(f"{p.name.partition('.')[0]}.headers.json").exists())
    done = run("parse", name, str(sample))
    assert done.exit_code == 0
    assert json.loads(done.stdout) == json.loads(
        sample.with_name(f"{sample.name.partition('.in.')[0]}.out.json").read_text()
    )


def test_parse_reads_standard_input() -> None:
    sample = SAMPLES["fedex"][-1]
    assert run("parse", "fedex", input=sample.read_bytes()).stdout == run("parse", "fedex", str(sample)).stdout


@pytest.mark.parametrize("arguments", [("ups",), ("nobody",)])
def test_parse_says_in_one_line_that_a_message_is_unreadable(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "app.cli", "parse", *arguments]
    done = subprocess.run(command, cwd=ROOT, input=b"{", capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.count(b"\n") == 1
    assert b"Traceback" not in done.stderr


def test_parse_needs_neither_settings_nor_servers() -> None:
    code = (
        "import sys, app.commands.parse; "
        "sys.exit(any(n in sys.modules for n in ('celery', 'sqlalchemy', 'flask', 'redis', 'config.settings')))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_carriers_lists_who_is_known_and_whether_a_secret_is_set_but_not_which() -> None:
    done = run("carriers", env={"CARRIER_UPS_SECRETS": "hush,hush2"})
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert set(carrier_names()) <= set(lines)
    assert "2 set" in lines["ups"]
    assert "hush" not in done.stdout


def test_carriers_codes_lists_what_a_code_means() -> None:
    carrier = find_carrier("fedex")
    assert carrier is not None
    done = run("carriers", "codes", "fedex")
    assert len(done.stdout.splitlines()) == len(carrier.codes) + 1


@pytest.mark.requirement("X10")
@responses.activate
def test_a_sample_is_posted_with_the_carriers_proof_and_another_number() -> None:
    responses.post("http://127.0.0.1:9/in/fedex/eu", status=202, json={"id": "an-id"})
    done = run(
        "send-sample", "fedex", "--url", "http://127.0.0.1:9", "--account", "eu", "--secret", "s", "--number", "42"
    )
    assert (done.exit_code, done.stdout) == (0, '202 {"id": "an-id"}\n')
    sent = responses.calls[0].request
    carrier = find_carrier("fedex")
    assert carrier is not None
    assert isinstance(sent.body, bytes)
    carrier.proof.verify({k.lower(): v for k, v in sent.headers.items()}, sent.body, ["s"], now())
    assert b'"42"' in sent.body


def test_a_sample_is_one_that_is_pushed_unless_named() -> None:
    carrier = find_carrier("ups")
    assert carrier is not None
    assert load_sample(carrier, None) != load_sample(carrier, "poll_not_found")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("send-sample", "nobody"), "no carrier is called 'nobody'"),
        (("send-sample", "ups"), "CARRIER_UPS_SECRETS is not set"),
        (("send-sample", "ups", "--sample", "none"), "ups has no sample none"),
        (("send-sample", "ups", "--secret", "s", "--url", "http://127.0.0.1:1"), "nobody answers at"),
    ],
)
def test_what_keeps_a_sample_from_being_sent_is_said(arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments, env={"CARRIER_UPS_SECRETS": ""})
    assert done.exit_code == 1
    assert said in str(done.exception)


def test_carriers_says_how_messages_come_and_what_proves_them() -> None:
    done = run("carriers", env={"CARRIER_FEDEX_ADDRESSES": "20.65.16.22/31"})
    line = next(line for line in done.stdout.splitlines() if line.startswith("fedex"))
    assert "push, poll" in line
    assert "HMAC SHA256 in fdx-signature, from 20.65.16.22/31 only" in line


@pytest.mark.requirement("M82")
def test_a_described_source_is_checked_with_its_faults_by_line(tmp_path: Path) -> None:
    file = tmp_path / "nordwind.toml"
    file.write_text(
        'format = "generic_json"\n[parcel]\ntracking_number = "no"\n[event]\ncode = "a["\noccurred_at = "at"\n'
    )
    done = run("carriers", "check", str(file))
    assert done.exit_code == 1
    assert str(done.exception).startswith(f"{file}:5: ")
    file.write_text(file.read_text().replace("a[", "a"))
    assert run("carriers", "check", str(file)).exit_code == 0


@pytest.mark.requirement("M30", "M107")
@pytest.mark.usefixtures("clean")
def test_codes_nobody_mapped_are_counted_with_an_example(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.commands.carriers.open_store", lambda: make_engine(database_url))
    assert run("carriers", "unknown").stdout == "every code that arrived is mapped\n"
    example = new_id()
    with make_engine(database_url).begin() as connection:
        parcel = connection.execute(
            insert(parcels).values(carrier="acme", tracking_number="1", number="1").returning(parcels.c.id)
        )
        row = {"parcel_id": parcel.scalar_one(), "message_id": example, "instant": now(), "milestone": "unknown"}
        for hour, code in enumerate(("ASHES", "ON_FIRE", "ON_FIRE", "ON_FIRE")):
            event = {"carrier": "acme", "code_list": None, "code": code, "description": "Burning"}
            seen = {"key": new_id(), "received_at": now() - timedelta(hours=hour), "event": event}
            connection.execute(insert(events).values(**row, **seen))
    line = run("carriers", "unknown").stdout.splitlines()[1].split()
    assert line[:3] == ["acme", "ON_FIRE", "3"]
    assert str(example) in line
    assert line[-1] == "Burning"
