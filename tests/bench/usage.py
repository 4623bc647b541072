"""What each kind of process uses: CPU, memory, and what is written to disk."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil
import psycopg
from redis import Redis

from config.embedded.servers import Servers
from tests.bench.sides import Milepost, family

SERVERS = ("valkey", "postgres")

TABLES = """
    select relname, pg_total_relation_size(oid) from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """At one moment, by kind of process: CPU seconds since each was started, and memory in MB.

    Pages that processes share are divided among them. PostgreSQL's shared buffers are left out: they fill up to their
    size, which is set, and stay. held: what Valkey holds by its own count, in MB. What a backlog took it gives back to
    its allocator, and whether that gives it back to the system depends on which one it was built with.
    """

    at: float
    cpu: Mapping[str, float]
    memory: Mapping[str, float]
    held: float = 0.0


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes so far: of each table with its indexes, of PostgreSQL's log, of Valkey's append-only file."""

    tables: Mapping[str, int]
    log: int
    append_only: int


def usage(milepost: Milepost, servers: Servers, redis: Redis) -> Usage:
    """Of every process of the Procfile that runs, and of the two servers."""
    pids = {name: process.pid for name, process in milepost.processes.items()}
    pids |= {name: servers.pid_of(name) for name in SERVERS}
    families = {name: family(pid) for name, pid in pids.items()}
    cpu = {name: sum(map(_cpu, members)) for name, members in families.items()}
    memory = {name: sum(_memory(name, member) for member in members) for name, members in families.items()}
    return Usage(time.monotonic(), cpu, memory, int(redis.info("memory")["used_memory"]) / 1e6)


def written(database_url: str, redis: Redis) -> Written:
    """After a vacuum, so that what is left of older versions of rows does not count."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("vacuum")
        tables = {name: int(size) for name, size in connection.execute(TABLES).fetchall()}
        log = connection.execute("select pg_current_wal_lsn() - '0/0'::pg_lsn").fetchone()
    assert log is not None
    return Written(tables, int(log[0]), int(redis.info("persistence")["aof_current_size"]))


def shared_buffers(database_url: str) -> float:
    """What PostgreSQL's processes share, in MB."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute("select pg_size_bytes(current_setting('shared_buffers'))").fetchone()
    assert row is not None
    return float(row[0]) / 1e6


def idle_cores(before: Usage, after: Usage) -> dict[str, float]:
    """Cores that each kind took in between."""
    return {kind: (after.cpu[kind] - before.cpu[kind]) / (after.at - before.at) for kind in before.cpu}


def cpu_per_event(before: Usage, after: Usage, events: int, idle: Mapping[str, float]) -> dict[str, float]:
    """CPU seconds an event cost each kind, without what it would have taken anyway in that time."""
    spent = {kind: after.cpu[kind] - before.cpu[kind] - idle[kind] * (after.at - before.at) for kind in before.cpu}
    return {kind: max(0.0, seconds) / events for kind, seconds in spent.items()}


def bytes_per_event(before: Mapping[str, int], after: Mapping[str, int], events: int) -> dict[str, float]:
    """How much each table grew, for an event."""
    return {name: (size - before.get(name, 0)) / events for name, size in after.items()}


def _cpu(process: psutil.Process) -> float:
    """With the children it has had and that are gone."""
    try:
        return sum(process.cpu_times()[:4])
    except psutil.NoSuchProcess:
        return 0.0


def _memory(kind: str, process: psutil.Process) -> float:
    try:
        info = process.memory_full_info()
        return float(info.uss if kind == "postgres" else info.pss) / 1e6
    except psutil.Error:
        return 0.0
