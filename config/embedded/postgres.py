"""The embedded PostgreSQL, made at the first start. As root it runs as the user nobody, since it refuses root."""

import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import psycopg

from config.embedded.binaries import find_postgres_folder
from config.embedded.fault import EmbeddedFault
from config.embedded.folder import Home, in_words, write_private

NAME = "postgres"
USER = "milepost"
DATABASE = "milepost"

WAITING = ("the database system is starting up", "the database system is not yet accepting connections")
"""What PostgreSQL answers to everybody who comes early."""

STAMP = re.compile(r"^[-0-9]+ [0-9:.]+ \w+ \[\d+\] ")
"""How PostgreSQL begins a line: the time and the process."""


class Postgres:
    """How the server is started in that folder, and whether it answers."""

    name = NAME
    title = "PostgreSQL"
    stop_signal = "INT"  # to PostgreSQL SIGTERM means "when the last client has left", SIGINT "now, and cleanly"

    def __init__(self, home: Home) -> None:
        self._home = home
        self._data = home.path / NAME
        self._port = home.port(NAME)
        self._password = home.secret("postgres-password")

    @property
    def url(self) -> str:
        """Where the store is, with its password."""
        return self._url(DATABASE)

    def _url(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/{database}"

    def prepare(self) -> list[str]:
        """Makes the data folder if there is none, and returns the command that starts the server."""
        programs = find_postgres_folder()
        prefix = as_whom(programs, self._home.path)
        if not (self._data / "PG_VERSION").exists():
            self._initialize(programs, prefix)
        with in_words(self._home.path):
            # We hold the folder's lock, so whoever is named there is dead, and the number may be somebody else's now.
            (self._data / "postmaster.pid").unlink(missing_ok=True)
        return [*prefix, str(programs / "postgres"), "-D", str(self._data), *self._options()]

    def _options(self) -> list[str]:
        told = {
            "listen_addresses": "127.0.0.1",
            "port": str(self._port),
            "unix_socket_directories": "",
            "fsync": "on",
            "shared_buffers": "512MB",
            "max_wal_size": "2GB",
            "max_connections": "60",
        }
        return [word for name, value in told.items() for word in ("-c", f"{name}={value}")]

    def _initialize(self, programs: Path, prefix: list[str]) -> None:
        # Made under another name and renamed, so that a start that was cut off leaves nothing half done.
        unfinished = self._data.with_name(NAME + ".new")
        with in_words(self._home.path):
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(mode=0o700)
            password = unfinished.with_suffix(".password")
            write_private(password, self._password)
            for path in (unfinished, password):
                give_to_nobody(path)
        command = [str(programs / "initdb"), "-D", str(unfinished), f"--username={USER}", f"--pwfile={password}"]
        command += ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        done = subprocess.run([*prefix, *command], capture_output=True, text=True, cwd="/", check=False)
        password.unlink(missing_ok=True)
        if done.returncode:
            shutil.rmtree(unfinished, ignore_errors=True)
            raise EmbeddedFault(
                f"PostgreSQL could not make its data in {self._home.path} ({why(done.stderr)}): make the folder "
                "writable and give it room, or set MILEPOST_HOME to another folder."
            )
        with in_words(self._home.path):
            unfinished.replace(self._data)

    def answers(self) -> bool:
        """Whether it is up and has recovered."""
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def finish(self) -> None:
        """Makes our database in a new server."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f"CREATE DATABASE {DATABASE}".encode())


def as_whom(*folders: Path) -> list[str]:
    """What to put before a command so that it does not run as root; nothing for an ordinary user."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise EmbeddedFault(
            "PostgreSQL refuses to run as root, and setpriv (package util-linux) is missing: install it, "
            "run Milepost as another user, or name your own server in MILEPOST_DATABASE_URL."
        )
    nobody = pwd.getpwnam("nobody")
    # Folders such as /root let nobody through: then the server may read and pass, but write only what is its own.
    capabilities = "-all" if all(map(lets_everybody_through, folders)) else "-all,+dac_read_search"
    # Without the bit, access(2) ignores the capability, and initdb does not find the server beside itself.
    return [
        setpriv,
        f"--reuid={nobody.pw_uid}",
        f"--regid={nobody.pw_gid}",
        "--clear-groups",
        "--securebits=+no_setuid_fixup",
        f"--inh-caps={capabilities}",
        f"--ambient-caps={capabilities}",
        "--pdeathsig=INT",  # a change of user forgets the one that was set before
    ]


def lets_everybody_through(folder: Path) -> bool:
    """Whether any user can reach what lies in that folder, as far as modes say."""
    return all(step.stat().st_mode & 0o001 for step in (folder, *folder.parents))


def give_to_nobody(path: Path) -> None:
    """Where we are root, so that the server may use it."""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(path, nobody.pw_uid, nobody.pw_gid)


def why(output: str) -> str:
    """The line of a server's output that says what is wrong: the first error, else the last line."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and not line.endswith(WAITING)]
    told = [line for line in lines if any(word in line.lower() for word in ("fatal", "panic", "error", "failed"))]
    return STAMP.sub("", (told or lines[-1:] or ["it said nothing"])[0]).rstrip(".")
