"""Runs all of Milepost on one machine: the servers it was not told of, and every process of the Procfile."""

import http.client
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, TextIO

import click
from honcho.colour import get_colours
from honcho.environ import parse_procfile
from honcho.printer import Message, Printer
from sqlalchemy.exc import DBAPIError

from app.commands.keys import make_key
from config.alive import SILENT_SECONDS
from config.embedded.folder import in_words, listening_fault, write_private
from config.embedded.keep import MARK
from config.embedded.servers import Servers
from config.embedded.supervised import Supervised
from config.running import ENVIRON
from config.settings import Settings, load_settings
from shipments.errors import SetupFault
from shipments.store.migrate import migrate

ROOT = Path(__file__).parents[2]
READY_SECONDS = 90
SHARED = ("MILEPOST_REDIS_URL", "MILEPOST_DATABASE_URL", "MILEPOST_SECRET_KEY")
KEEPS_ENDING = 3
"""So many ends of one process are reported, besides each one's line in the log."""


class Up:
    """Everything on this machine, from `start` to `stop`; also a context manager.

    `environ` is what the processes are told (by default our own environment). What they write goes to `output`, or to
    up.log in the home folder where there is none. `progress` is told in short lines what a person waits for.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        output: TextIO | None = None,
        progress: Callable[[str], None] = click.echo,
    ) -> None:
        self.environ = dict(os.environ if environ is None else environ)
        self.settings: Settings = load_settings(self.environ)
        self.servers = Servers(
            self.settings.home,
            start_valkey=not self.settings.redis_url,
            start_postgres=not self.settings.database_url,
        )
        self._output = output
        self._log: TextIO | None = None
        self._progress = progress
        self._processes: dict[str, Supervised] = {}
        self._readers: list[threading.Thread] = []
        self._ends: Counter[str] = Counter()
        self._stopped = threading.Event()

    @property
    def web_url(self) -> str:
        """Where the receiver, health and metrics are."""
        return url(self.settings.host, self.settings.port)

    @property
    def flower_url(self) -> str:
        """Where Flower is; its login is `settings.flower_auth`."""
        return url(self.settings.flower_host, self.settings.flower_port)

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each process of the Procfile; 0 while it is being started again."""
        return {name: process.pid for name, process in self._processes.items()}

    def start(self) -> None:
        """Returns when the web server is ready. Raises SetupFault or EmbeddedFault, with nothing left running."""
        check_ports(self.settings)
        try:
            self.servers.start(self._progress)
            self._complete_environ()
            self._migrate()
            self._start_processes()
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def wait(self) -> None:
        """Until `stop` is called from elsewhere."""
        self._stopped.wait()

    def stop(self) -> None:
        """Ends every process, then the servers, and waits for them."""
        for process in self._processes.values():
            process.ask_to_stop()
        for process in self._processes.values():
            process.stop()
        for reader in self._readers:
            reader.join(5)
        self._processes.clear()
        self._readers.clear()
        with suppress(OSError):
            (self.servers.home.path / ENVIRON).unlink(missing_ok=True)
        self.servers.stop()
        if self._log:
            self._log.close()
            self._log = None
        self._stopped.set()

    def __enter__(self) -> "Up":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _complete_environ(self) -> None:
        """Adds what was not told: the embedded servers, a key, Flower's login, and where our programs are."""
        settings, home, environ = self.settings, self.servers.home, self.environ
        environ["MILEPOST_HOME"] = str(home.path)
        if not settings.redis_url:
            environ["MILEPOST_REDIS_URL"] = self.servers.redis_url
        if not settings.database_url:
            environ["MILEPOST_DATABASE_URL"] = self.servers.database_url
        if not settings.secret_key:
            environ["MILEPOST_SECRET_KEY"] = home.secret("secret-key", make_key)
        if not settings.flower_auth:
            environ["MILEPOST_FLOWER_AUTH"] = home.secret("flower-auth", make_login)
        environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environ.get("PATH", os.defpath)])
        environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), environ.get("PYTHONPATH")]))
        environ["PYTHONUNBUFFERED"] = "1"
        self.settings = load_settings(environ)
        told = {name: environ[name] for name in SHARED}
        with in_words(home.path):
            write_private(home.path / ENVIRON, json.dumps(told))

    def _migrate(self) -> None:
        self._progress("bringing the database up to date")
        try:
            migrate(self.settings.database_url)
        except DBAPIError as fault:
            told = str(fault.orig).strip().splitlines()[0]
            raise SetupFault([f"The database of MILEPOST_DATABASE_URL cannot be used: {told}."]) from fault

    def _start_processes(self) -> None:
        procfile = read_procfile()
        self._progress(f"starting {', '.join(procfile)}")
        if self._output is None:
            with in_words(self.settings.home):
                self._log = (self.settings.home / "log" / "up.log").open("w", encoding="utf-8")
        printer = Printer(self._output or self._log, width=max(map(len, procfile)))
        writing = threading.Lock()
        for (name, line), color in zip(procfile.items(), get_colours(), strict=False):
            process = Supervised(
                name,
                ["/bin/sh", "-c", line],
                self.settings.home,
                silent_seconds=SILENT_SECONDS if shows_progress(line) else 0,
                environ=self.environ,
            )
            running = process.start(subprocess.PIPE)
            self._processes[name] = process
            assert running.stdout is not None  # noqa: S101 (PIPE was asked for)
            reader = threading.Thread(
                target=self._read, args=(name, running.stdout, printer, writing, color), daemon=True, name=name
            )
            reader.start()
            self._readers.append(reader)

    def _read(self, name: str, output: IO[bytes], printer: Printer, writing: threading.Lock, color: str) -> None:
        with output:
            for line in output:
                if line.startswith(MARK.encode()):
                    self._count_end(name)
                with writing, whoever_reads_may_be_gone():
                    printer.write(Message("line", line, datetime.now().astimezone(), name, color))

    def _count_end(self, name: str) -> None:
        self._ends[name] += 1
        if self._ends[name] == KEEPS_ENDING:
            where = f": see {self._log.name}" if self._log else ""
            self._progress(f"{name} keeps ending and is started again each time{where}")

    def _wait_until_ready(self) -> None:
        self._progress(f"waiting for {self.web_url}/readyz")
        deadline = time.monotonic() + READY_SECONDS
        while (answer := ask(self.settings.host, self.settings.port, "/readyz")) != "":
            if time.monotonic() > deadline or self._ends["web"] >= KEEPS_ENDING:
                where = f"; see {self._log.name}" if self._log else ""
                raise SetupFault([f"The web server does not become ready ({answer}){where}."])
            time.sleep(0.1)


def check_ports(settings: Settings) -> None:
    """Raises SetupFault naming each setting whose port cannot be listened on."""
    wanted = (
        ("MILEPOST_PORT", settings.host, settings.port),
        ("MILEPOST_FLOWER_PORT", settings.flower_host, settings.flower_port),
    )
    faults = [
        f"Port {port} on {host} cannot be used ({fault}): stop what listens there, or set {name} to another port."
        for name, host, port in wanted
        if (fault := listening_fault(host, port))
    ]
    if faults:
        raise SetupFault(faults)


def read_procfile() -> dict[str, str]:
    """The processes to run, by name."""
    file = ROOT / "Procfile"
    try:
        return dict(parse_procfile(file.read_text(encoding="utf-8")).processes)
    except FileNotFoundError:
        raise SetupFault([f"There is no {file}: `milepost up` runs from a checkout of Milepost."]) from None


def shows_progress(line: str) -> bool:
    """Whether that process shows a sign of life: Celery's workers and beat do, see workers/watchdog.py."""
    return bool(re.search(r"-A workers\.celery (worker|beat)\b", line))


def url(host: str, port: int) -> str:
    """An address a person on this machine can open."""
    return f"http://{reachable(host)}:{port}"


def reachable(host: str) -> str:
    """That host as seen from this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (compared, not listened on)
    return f"[{host}]" if ":" in host else host


def ask(host: str, port: int, path: str) -> str:
    """Empty if the server answers 200 there; else what it says, or why it does not."""
    connection = http.client.HTTPConnection(reachable(host).strip("[]"), port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        said = answer.read(300).decode(errors="replace")
    except (OSError, http.client.HTTPException) as fault:
        return str(fault)
    finally:
        connection.close()
    return "" if answer.status == http.client.OK else f"{answer.status} {said}".strip()


def make_login() -> str:
    """A user and a new password for Flower."""
    return f"milepost:{secrets.token_urlsafe(12)}"


@contextmanager
def whoever_reads_may_be_gone() -> Iterator[None]:
    """A closed terminal or a full disk must not stop us from reading, or our processes would stand still."""
    try:
        yield
    except (OSError, ValueError):
        return


@click.command()
def up() -> None:
    """Run everything on this machine until Ctrl-C.

    Starts an embedded Valkey and PostgreSQL where MILEPOST_REDIS_URL and MILEPOST_DATABASE_URL name none.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # a shell's background job starts with SIGINT ignored
        signal.signal(number, signal.default_int_handler)
    try:
        with Up(output=sys.stdout) as running:
            click.echo(f"\nMilepost is up. Web: {running.web_url}")
            click.echo(f"Flower: {running.flower_url}  login: {running.settings.flower_auth}")
            click.echo(f"Data, keys and logs: {running.settings.home}  Stop with Ctrl-C.\n")
            running.wait()
    except KeyboardInterrupt:
        click.echo("Milepost has stopped.")
