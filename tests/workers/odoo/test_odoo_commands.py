"""`milepost odoo`: sentences for people, exit statuses for scripts."""

import json
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from config.settings import load_settings
from tests.fakes.odoo import API_KEY, FakeOdoo
from workers.odoo import setup
from workers.odoo.check import FAULT, OK, WARNING, check
from workers.odoo.client import Odoo, connect
from workers.odoo.commands import SETUP_SECONDS, patient
from workers.odoo.commands import odoo as group


def run(fake: FakeOdoo | None, *words: str, **environ: str) -> Result:
    unset = dict.fromkeys(("ODOO_URL", "ODOO_DATABASE", "ODOO_LOGIN", "ODOO_PASSWORD", "ODOO_API_KEY"))
    return CliRunner().invoke(group, list(words), env={**unset, **(fake.environ() if fake else {}), **environ})


def test_check_finds_what_is_missing_and_setup_mends_it(fake: FakeOdoo) -> None:
    before = run(fake, "check")
    assert before.exit_code == 1
    assert "milepost odoo setup" in before.output
    assert run(fake, "setup").exit_code == 0
    after = run(fake, "check")
    assert (after.exit_code, "fault" in after.output) == (0, False)


@pytest.mark.requirement("X21")
def test_setup_waits_for_an_odoo_that_takes_minutes_over_a_models_fields() -> None:
    assert patient(load_settings({"ODOO_TIMEOUT_SECONDS": "30"})).odoo_timeout_seconds == SETUP_SECONDS
    assert patient(load_settings({"ODOO_TIMEOUT_SECONDS": "900"})).odoo_timeout_seconds == 900


def test_a_dry_run_says_what_would_change_and_changes_nothing(fake: FakeOdoo) -> None:
    before = json.dumps([fake.records("ir.model.fields"), fake.records("ir.model.data")])
    result = run(fake, "setup", "--dry-run")
    assert result.exit_code == 0
    assert "would add x_milepost_milestone on stock.picking" in result.output
    assert json.dumps([fake.records("ir.model.fields"), fake.records("ir.model.data")]) == before


def test_removing_asks_first_and_a_dry_run_of_it_removes_nothing(fake: FakeOdoo) -> None:
    run(fake, "setup")
    assert run(fake, "setup", "--remove").exit_code == 1
    assert "would remove" in run(fake, "setup", "--remove", "--dry-run").output
    assert run(fake, "setup", "--dry-run").output.endswith("nothing to change.\n")
    assert run(fake, "setup", "--remove", "--yes").exit_code == 0
    assert "nothing of Milepost's" in run(fake, "setup", "--remove").output


@pytest.mark.parametrize("words", [["check"], ["setup"], ["setup", "--dry-run"]])
def test_what_goes_wrong_is_a_sentence_without_a_traceback(fake: FakeOdoo, words: list[str]) -> None:
    for result, said in (
        (run(None, *words), "ODOO_URL is not set"),
        (run(fake, *words, ODOO_URL="ftp://x"), "ODOO_URL is not a URL"),
        (run(fake, *words, ODOO_URL="http://127.0.0.1:1"), "cannot be reached"),
        (run(fake, *words, ODOO_API_KEY="wrong-key"), "Make a new API key"),
    ):
        assert result.exit_code == 1
        assert said in result.output
        assert "Traceback" not in result.output
        assert "wrong-key" not in result.output
        assert API_KEY not in result.output


def test_a_ready_odoo_has_no_faults(ready: Odoo, settings: object) -> None:
    findings = check(settings)  # type: ignore[arg-type]
    assert [finding for finding in findings if finding.level == FAULT] == []
    assert any("The database is" in finding.sentence for finding in findings)


def test_rights_that_are_missing_are_named(fake: FakeOdoo) -> None:
    setup.apply(connect(fake.settings()))
    fake.forbidden.add(("sale.order", "write"))
    [fault] = [finding for finding in check(fake.settings()) if finding.level == FAULT]
    assert "may not write sale.order" in fault.sentence


@pytest.mark.requirement("X22")
def test_a_key_that_ends_soon_is_a_warning_and_a_password_where_a_key_would_do_is_one(fake: FakeOdoo) -> None:
    setup.apply(connect(fake.settings()))
    odoo = connect(fake.settings())
    odoo.call("res.users.apikeys", "write", [1], vals={"expiration_date": "2020-01-01 00:00:00"})
    assert [f.level for f in check(fake.settings()) if "API key" in f.sentence] == [WARNING]
    assert [f.level for f in check(fake.settings(ODOO_API_KEY="")) if "JSON-RPC" in f.sentence] == [WARNING]
    assert all(f.level in (OK, WARNING) for f in check(fake.settings()))


def test_the_stand_in_runs_as_a_program_and_prints_how_to_reach_it() -> None:
    program = [sys.executable, "-m", "tests.fakes.odoo", "--port", "0", "--seed", "2"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout
            lines = [running.stdout.readline() for _ in range(7)]
            environ = dict(line.removeprefix("export ").strip().split("=", 1) for line in lines[:5])
            assert connect(load_settings(environ)).uid
            assert json.loads(lines[5])["tracking"][0].startswith("1Z")
        finally:
            running.terminate()
