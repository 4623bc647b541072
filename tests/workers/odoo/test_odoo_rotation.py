"""`milepost odoo rotate-key`: a new key beside the old ones, none refused in between, and nothing ever half done."""

import base64
import hmac
import logging
import os
import re
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from config.settings import Settings, load_settings
from shipments.clock import now
from shipments.errors import OdooAway
from tests.fakes.odoo import API_KEY, LOGIN, FakeOdoo
from tests.workers.odoo.conftest import Shop
from tests.workers.odoo.effects import state
from workers.odoo import keyfile, rotation, setup
from workers.odoo.browser import Person, signed_in
from workers.odoo.client import Odoo, OdooLockedOut, OdooTooSlow, connect
from workers.odoo.commands import odoo as group
from workers.odoo.keyfile import Entries, read_entries
from workers.odoo.keys import Key, find_keys
from workers.odoo.user import apply_user
from workers.odoo.writes import DONE, write_deliveries

WHICH = [
    pytest.param((19, 0), id="stand-in-19"),
    pytest.param((18, 0), id="stand-in-18"),
    pytest.param((17, 0), id="stand-in-17"),
    pytest.param(None, id="real", marks=pytest.mark.odoo),
]


@dataclass
class Bot:
    """Milepost's own user in an Odoo, with a password and an empty file for its keys."""

    environ: dict[str, str]
    password: str
    path: Path
    admin: Odoo
    fake: FakeOdoo | None = None

    def run(self, *words: str, password: str | None = None, **environ: str | None) -> Result:
        unset = dict.fromkeys(("ODOO_API_KEY", "ODOO_PASSWORD", "MILEPOST_ENVIRONMENT"))
        given = (self.password if password is None else password) + "\n"
        return CliRunner().invoke(
            group, ["rotate-key", *words], input=given, env={**unset, **self.environ, **environ}, catch_exceptions=True
        )

    def rotate(self) -> None:
        result = self.run()
        assert result.exit_code == 0, (result.output, result.exception)

    def settings(self, **changed: str) -> Settings:
        return load_settings({**self.environ, **changed})

    def entries(self) -> Entries:
        return read_entries(self.path)

    def listed(self) -> list[Key]:
        """As an administrator sees them, the oldest first."""
        [user] = self.admin.call("res.users", "search", domain=[("login", "=", self.environ["ODOO_LOGIN"])])
        return sorted(find_keys(self.admin, user), key=lambda key: key.id)

    def takes(self, secret: str) -> bool:
        """Whether Odoo lets somebody in with that key."""
        try:
            connect(self.settings(ODOO_API_KEY_FILE="", ODOO_API_KEY=secret)).call("res.users", "context_get")
        except OdooLockedOut:
            return False
        return True


def stand_in(fake: FakeOdoo, path: Path) -> Bot:
    environ = {**fake.environ(), "ODOO_API_KEY_FILE": str(path)}
    del environ["ODOO_API_KEY"], environ["ODOO_PASSWORD"]
    fake.web.password = uuid4().hex
    return Bot(environ, fake.web.password, path, connect(fake.settings()), fake)


def real(path: Path) -> Bot:
    if not (os.environ.get("ODOO_URL") and os.environ.get("ODOO_PASSWORD")):
        pytest.skip("ODOO_URL and ODOO_PASSWORD are not set: there is no real Odoo to make a user in")
    admin, login, password = connect(load_settings(dict(os.environ))), f"milepost-{uuid4().hex[:8]}", uuid4().hex
    setup.apply(admin)
    apply_user(admin, login, with_role=True)
    user = admin.call("res.users", "search", domain=[("login", "=", login)])
    admin.call("res.users", "write", user, vals={"password": password})
    environ = {name: os.environ[name] for name in ("ODOO_URL", "ODOO_DATABASE")}
    return Bot(environ | {"ODOO_LOGIN": login, "ODOO_API_KEY_FILE": str(path)}, password, path, admin)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.touch(mode=0o600)
    return file


@pytest.fixture(params=WHICH)
def bot(request: pytest.FixtureRequest, path: Path) -> Iterator[Bot]:
    """One Odoo after another: the stand-in in three versions and, where ODOO_URL is set, the real one."""
    if request.param is None:
        yield real(path)
        return
    with FakeOdoo(version=request.param) as fake:
        yield stand_in(fake, path)


@pytest.fixture
def here(fake: FakeOdoo, path: Path) -> Bot:
    """The stand-in of Odoo 19, whose only key so far was made by a person and stands in the file."""
    path.write_text(API_KEY)
    return stand_in(fake, path)


# ---- a new key


@pytest.mark.requirement("X22", "M92")
def test_each_new_key_is_put_in_front_and_those_before_it_stay_alive(bot: Bot) -> None:
    bot.rotate()
    [first] = bot.entries()
    bot.rotate()
    second, still = bot.entries()
    assert still == first
    assert bot.takes(first.secret)
    assert bot.takes(second.secret)
    assert [key.name for key in bot.listed()][-2:] == [
        f"Milepost development {entry.name}" for entry in (first, second)
    ]


@pytest.mark.requirement("X22")
def test_it_lives_as_long_as_the_user_may_have_it(bot: Bot) -> None:
    bot.rotate()
    ends = bot.listed()[-1].ends
    if bot.admin.version >= (18, 0):
        assert ends
        assert timedelta(days=88) < ends - now() <= timedelta(days=90)
    else:
        assert ends is None


@pytest.mark.requirement("X22", "M92")
def test_writing_goes_on_through_the_whole_rotation_with_none_refused(bot: Bot) -> None:
    setup.apply(bot.admin)
    [picking] = Shop(bot.admin).deliver(1)
    bot.rotate()
    [old] = bot.entries()
    written, done, outcomes = threading.Semaphore(0), threading.Event(), []

    def write() -> None:
        client = connect(bot.settings())  # as a worker has it: made once, at its start
        while not done.is_set():
            outcomes.extend(write_deliveries(client, [state(picking)]).values())
            written.release()

    def three_more() -> bool:
        return all(written.acquire(timeout=60) for _ in range(3))

    worker = threading.Thread(target=write)
    worker.start()
    try:
        assert three_more()
        bot.rotate()
        assert three_more()
        assert bot.run("--finish").exit_code == 0
        assert not bot.takes(old.secret)
        assert three_more()
    finally:
        done.set()
        worker.join()
    assert set(outcomes) == {DONE}


@pytest.mark.requirement("X22", "M92")
def test_a_client_that_runs_finds_the_new_key_and_goes_on_with_it(bot: Bot) -> None:
    bot.rotate()
    client = connect(bot.settings())
    assert client.uid
    bot.rotate()
    bot.run("--finish")
    assert client.call("res.users", "context_get")["uid"] == client.uid


def test_it_is_no_longer_signed_in_afterwards(here: Bot) -> None:
    here.rotate()
    assert here.fake
    assert len(here.fake.web) == 0


@pytest.mark.requirement("X22")
def test_without_a_file_the_key_alone_is_printed_and_where_it_belongs_is_said(bot: Bot) -> None:
    result = bot.run("--password-stdin", ODOO_API_KEY_FILE=None)
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"\d{8}-[0-9a-f]{6}:[0-9a-f]{40}\n", result.stdout)
    assert "ODOO_API_KEY" in result.stderr
    assert bot.takes(result.stdout.strip())
    assert bot.entries() == ()


def test_a_dry_run_says_what_would_be_done_and_does_nothing(here: Bot) -> None:
    result = here.run("--dry-run", password="")
    assert result.output == (
        f"would sign in to {here.environ['ODOO_URL']} as {LOGIN}, make a key, try it"
        f" and put it in front of 1 key in {here.path}\n"
    )
    assert len(here.listed()) == 1


# ---- what it needs, and says


@pytest.mark.requirement("X22")
def test_a_wrong_password_makes_no_key_and_says_what_to_do(bot: Bot) -> None:
    keys = bot.listed()
    result = bot.run(password="not-the-password")
    assert isinstance(result.exception, OdooLockedOut)
    assert "Change Password" in str(result.exception)
    assert (bot.listed(), bot.entries()) == (keys, ())


@pytest.mark.requirement("X22")
def test_two_factor_authentication_makes_no_key_and_says_what_to_do(bot: Bot) -> None:
    keys = bot.listed()
    turn_second_factor_on(bot)
    result = bot.run()
    assert isinstance(result.exception, OdooLockedOut)
    assert "Take two-factor authentication off" in str(result.exception)
    assert (bot.listed(), bot.entries()) == (keys, ())


def turn_second_factor_on(bot: Bot) -> None:
    """As a person does, with the code that an application on a phone shows."""
    if bot.fake:
        bot.fake.web.asks_for_second_factor = True
        return
    with signed_in(bot.settings(), bot.password) as person:
        wizard = person.confirmed("res.users", "action_totp_enable_wizard", [person.odoo.uid])["res_id"]
        [row] = person.odoo.call("auth_totp.wizard", "read", [wizard], fields=["secret"])
        secret = base64.b32decode(row["secret"].replace(" ", ""))
        assert person.odoo.call("auth_totp.wizard", "enable", [wizard], context={"code": str(code_of(secret))})


def code_of(secret: bytes) -> int:
    """RFC 6238, six digits."""
    digest = hmac.new(secret, struct.pack(">Q", int(time.time() / 30)), "sha1").digest()
    place = digest[-1] & 0xF
    return (struct.unpack_from(">I", digest, place)[0] & 0x7FFFFFFF) % 1_000_000


@pytest.mark.requirement("X22")
def test_a_user_who_may_make_no_keys_is_told_how_it_may(bot: Bot) -> None:
    if bot.fake:
        bot.fake.web.is_internal = False
    else:
        apply_user(bot.admin, bot.environ["ODOO_LOGIN"])
    assert "--with-role" in str(bot.run().exception)
    assert bot.entries() == ()


@pytest.mark.odoo
@pytest.mark.requirement("X22", "M93")
def test_a_key_goes_on_working_when_the_role_that_it_took_is_gone(path: Path) -> None:
    bot = real(path)
    bot.rotate()
    [change] = apply_user(bot.admin, bot.environ["ODOO_LOGIN"])
    assert change.columns == ("group_ids",)
    assert bot.takes(bot.entries()[0].secret)
    assert apply_user(bot.admin, bot.environ["ODOO_LOGIN"]) == []


@pytest.mark.requirement("X22")
def test_an_odoo_that_goes_away_before_there_is_a_key_is_said_and_nothing_else(
    here: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OdooAway("Odoo is away.")

    monkeypatch.setattr(rotation, "_prepare", away)
    assert str(here.run().exception) == "Odoo is away."


@pytest.mark.odoo
def test_a_wrong_database_is_said(path: Path) -> None:
    """By a real one: the stand-in does not look at the name of the database."""
    assert "check ODOO_DATABASE" in str(real(path).run(ODOO_DATABASE="nowhere").exception)


def test_what_is_not_set_is_said_before_the_password_is_asked_for(here: Bot) -> None:
    result = here.run(ODOO_LOGIN="")
    assert "ODOO_LOGIN is not set" in str(result.exception)
    assert "Password" not in result.output


def test_no_password_on_standard_input_is_a_fault_of_the_caller(here: Bot) -> None:
    assert here.run("--password-stdin", password="").exit_code == 2


@pytest.mark.requirement("X22", "M86")
def test_neither_password_nor_key_is_logged_shown_or_kept(bot: Bot, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    result = bot.run()
    bot.run()
    finished = bot.run("--finish")
    told = result.output + finished.output + caplog.text
    for secret in (bot.password, *(entry.secret for entry in bot.entries())):
        assert secret not in told
    if bot.fake:
        assert not any(row["password"] for row in bot.fake.records("res.users.identitycheck"))


# ---- nothing half done


@pytest.mark.requirement("X22")
def test_a_file_that_cannot_be_written_after_all_gets_the_new_key_revoked(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = bot.listed()

    def busy(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(keyfile.os, "replace", busy)  # as where the file alone is mounted into a container
    result = bot.run()
    assert isinstance(result.exception, rotation.NotRotated)
    assert "mount the folder" in str(result.exception)
    assert "revoked again" in str(result.exception)
    assert (bot.listed(), bot.entries()) == (keys, ())


def test_a_file_that_cannot_be_written_is_said_before_the_password_is_asked_for(here: Bot) -> None:
    result = here.run(ODOO_API_KEY_FILE="/proc/sys/kernel/hostname")
    assert "cannot be written" in str(result.exception)
    assert "Password" not in result.output


@pytest.mark.requirement("X22")
@pytest.mark.parametrize("fault", [OdooAway("Odoo is away."), KeyboardInterrupt()], ids=["away", "interrupted"])
def test_a_new_key_that_could_not_be_tried_is_revoked(
    here: Bot, fault: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise fault

    monkeypatch.setattr(rotation, "_connect", fail)
    result = here.run()
    assert result.exit_code != 0
    assert [key.name for key in here.listed()] == ["sandbox"]
    assert [entry.secret for entry in here.entries()] == [API_KEY]


def test_a_key_that_may_be_left_in_odoo_is_named(here: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> None:
        here.fake.away = True  # type: ignore[union-attr]
        raise OdooAway("Odoo is away.")

    monkeypatch.setattr(rotation, "_connect", away)
    said = str(here.run().exception)
    assert re.search(r"Milepost development \d{8}-[0-9a-f]{6} may be left in Odoo: delete it", said)


def test_a_key_that_odoo_may_make_after_nobody_waits_any_more_is_named(
    here: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_slow(*_: object) -> None:
        raise OdooTooSlow("Odoo did not answer in time.")

    monkeypatch.setattr(Person, "confirmed", too_slow)
    assert "may be left in Odoo" in str(here.run().exception)


# ---- the old ones away


@pytest.mark.requirement("X22", "M92")
def test_finishing_revokes_the_older_ones_and_takes_them_out_of_the_file(bot: Bot) -> None:
    before = bot.listed()
    for _ in range(3):
        bot.rotate()
    newest, *old = bot.entries()
    assert bot.run("--finish").exit_code == 0
    assert bot.entries() == (newest,)
    assert bot.takes(newest.secret)
    assert not any(bot.takes(entry.secret) for entry in old)
    assert [key.name for key in bot.listed()] == [*(key.name for key in before), f"Milepost development {newest.name}"]


@pytest.mark.requirement("X22")
def test_finishing_can_be_done_at_any_time_and_asks_for_the_password_only_if_there_is_something_to_revoke(
    bot: Bot,
) -> None:
    bot.rotate()
    bot.rotate()
    keys, entries = bot.listed(), bot.entries()
    dry = bot.run("--finish", "--dry-run", password="")
    assert dry.output.startswith(f"would revoke Milepost development {entries[1].name}")
    assert "would take 1 key out of" in dry.output
    assert (bot.listed(), bot.entries()) == (keys, entries)
    assert "Password" in bot.run("--finish").output
    again = bot.run("--finish", password="")
    assert (again.exit_code, again.output[:13]) == (0, "Nothing to do")
    assert len(bot.entries()) == 1


def test_a_wrong_password_revokes_nothing(bot: Bot) -> None:
    bot.rotate()
    bot.rotate()
    keys, entries = bot.listed(), bot.entries()
    assert isinstance(bot.run("--finish", password="not-the-password").exception, OdooLockedOut)
    assert (bot.listed(), bot.entries()) == (keys, entries)


def test_a_key_that_a_person_made_is_neither_revoked_nor_taken_out_and_is_told_of(here: Bot) -> None:
    here.rotate()
    result = here.run("--finish", password="")
    assert "1 made by a person stay" in result.output
    assert [entry.secret for entry in here.entries()][1] == API_KEY
    assert here.takes(API_KEY)


def test_a_dead_key_of_a_persons_is_taken_out_of_the_file_without_a_password(here: Bot) -> None:
    here.rotate()
    bot_key = here.entries()[0]
    here.admin = connect(here.settings(ODOO_API_KEY_FILE="", ODOO_API_KEY=bot_key.secret))
    here.admin.call("res.users.apikeys", "unlink", [1])
    assert here.run("--finish", password="").output.startswith("take 1 key out of")
    assert here.entries() == (bot_key,)


def test_while_a_persons_key_is_in_use_none_is_revoked(here: Bot) -> None:
    here.rotate()
    here.rotate()
    ours = here.path.read_text().strip().split(",")[:2]
    here.path.write_text(",".join([API_KEY, *ours]))
    result = here.run("--finish", password="")
    assert (result.exit_code, len(here.listed()), len(here.entries())) == (0, 3, 3)
    assert "none is revoked" in result.output


def test_a_newer_key_behind_the_one_in_use_stays(here: Bot) -> None:
    here.rotate()
    here.rotate()
    newer, older, _ = here.path.read_text().strip().split(",")
    here.path.write_text(f"{older},{newer}")
    assert here.run("--finish", password="").output.startswith("Nothing to do")
    assert len(here.listed()) == 3


def test_keys_of_another_deployment_and_of_persons_stay(here: Bot) -> None:
    names = ["Milepost production 20261130-3f9c1a", "Milepost development by hand", "something "]
    here.admin.call("res.users.apikeys", "create", vals_list=[{"name": name, "user_id": 2} for name in names])
    here.rotate()
    here.rotate()
    assert here.run("--finish").exit_code == 0
    assert [key.name for key in here.listed()][1:-1] == names


def test_while_no_key_is_taken_nothing_is_revoked(here: Bot) -> None:
    here.path.write_text("ended")
    assert "so none is revoked" in str(here.run("--finish", password="").exception)


@pytest.mark.requirement("X22")
def test_without_a_file_the_older_ones_are_revoked_once_the_new_one_is_set(here: Bot) -> None:
    first, second = (here.run(ODOO_API_KEY_FILE=None).stdout.strip() for _ in range(2))
    result = here.run("--finish", ODOO_API_KEY_FILE=None, ODOO_API_KEY=f"{second},{first}")
    assert "out of ODOO_API_KEY" in result.output
    assert here.takes(second)
    assert not here.takes(first)
