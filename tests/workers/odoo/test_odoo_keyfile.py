"""The file of API keys: read by whoever runs, changed in one step, never left half written or open to everybody."""

import os
import threading
from pathlib import Path

import pytest

from tests.fakes.odoo import API_KEY, FakeOdoo
from workers.odoo import keyfile
from workers.odoo.client import connect
from workers.odoo.keyfile import Entry, change_entries, check_writable, entries_of, read_entries

NEW, OLD = Entry("20261130-3f9c1a", "a" * 40), Entry("", "b" * 40)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    file.write_text(OLD.secret + "\n")
    file.chmod(0o640)
    return file


def put_in_front(path: Path) -> None:
    change_entries(path, lambda entries: (NEW, *entries))


def test_a_key_is_read_back_as_it_was_written_with_its_name_or_without(path: Path) -> None:
    put_in_front(path)
    assert path.read_text() == f"20261130-3f9c1a:{NEW.secret},{OLD.secret}\n"
    assert read_entries(path) == (NEW, OLD)


def test_what_only_looks_like_a_name_belongs_to_the_secret() -> None:
    assert entries_of(["secret:with:colons", "2026-3f9c1a:x"]) == (
        Entry("", "secret:with:colons"),
        Entry("", "2026-3f9c1a:x"),
    )


@pytest.mark.requirement("X22")
def test_a_key_with_its_name_opens_the_door_as_one_without(fake: FakeOdoo) -> None:
    assert connect(fake.settings(ODOO_API_KEY=f"20261130-3f9c1a:{API_KEY}")).uid


def test_a_key_is_not_shown_when_it_is_printed() -> None:
    assert NEW.secret not in repr(NEW)


def test_mode_and_owner_stay_as_they_are(path: Path) -> None:
    if os.geteuid() == 0:
        os.chown(path, 4711, 4712)
    was = path.stat()
    put_in_front(path)
    now = path.stat()
    assert (now.st_mode, now.st_uid, now.st_gid) == (was.st_mode, was.st_uid, was.st_gid)
    assert now.st_ino != was.st_ino


def test_what_everybody_could_read_is_closed(path: Path) -> None:
    path.chmod(0o644)
    put_in_front(path)
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_to_the_file_stays_a_link(path: Path) -> None:
    link = path.with_name("link")
    link.symlink_to(path.name)
    put_in_front(link)
    assert link.is_symlink()
    assert read_entries(path) == (NEW, OLD)


def test_a_change_that_fails_leaves_the_file_and_its_folder_as_they_were(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise OSError(16, "Device or resource busy")

    monkeypatch.setattr(keyfile.os, "replace", busy)
    with pytest.raises(OSError, match="busy"):
        put_in_front(path)
    monkeypatch.undo()
    assert read_entries(path) == (OLD,)
    assert os.listdir(path.parent) == ["key"]


@pytest.mark.requirement("M92")
def test_whoever_reads_while_it_is_changed_finds_whole_keys(path: Path) -> None:
    done = threading.Event()

    def change() -> None:
        for _ in range(200):
            change_entries(path, lambda entries: (NEW, OLD) if len(entries) == 1 else (OLD,))
        done.set()

    writer = threading.Thread(target=change)
    writer.start()
    seen = set()
    while not done.is_set():
        seen.add(read_entries(path))
    writer.join()
    assert seen <= {(OLD,), (NEW, OLD)}


def test_whether_it_can_be_written_is_said_without_changing_anything(path: Path) -> None:
    was = path.stat()
    check_writable(path)
    assert (path.stat(), os.listdir(path.parent)) == (was, ["key"])
    with pytest.raises(OSError, match="No such file"):
        check_writable(path.with_name("missing"))
    # nobody can put a file there, root neither
    with pytest.raises(OSError, match=r"No such file|not permitted|denied"):
        check_writable(Path("/proc/sys/kernel/hostname"))
