"""Intake: what the doors take in and the hands take out. A Redis stream per lane, with PostgreSQL behind it.

Redis or Valkey must run with an append-only file and fsync at every write (`durability_faults` says if it does not):
then an XADD that was answered is on disk, and a 202 is a promise. An entry leaves the stream only after the
transaction that stored it.

Beside each stream stands a counter of messages since a worker last began to drain. The first one waiting and every
WAKE_EVERY-th further one are told to wake a worker, so an idle system reacts at once and a busy one is not slowed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any
from uuid import UUID

import redis
from msgspec import Struct

from shipments.store.suspects import Suspects

STREAM = "milepost:intake:{lane}"
WAITING = "milepost:waiting:{lane}"
GROUP = "ingest"
WAKE_EVERY = 200
READ_AT_ONCE = 100
BATCH_BYTES = 8 * 1024 * 1024
"""A batch ends above this. It is read in parts of READ_AT_ONCE, so it is larger by such a part at most.

Where bodies are large a part is of fewer: while the server gathers some hundred megabytes, everybody else waits."""

TAKE_OVER_AFTER = timedelta(seconds=20)
"""An entry that a worker took and did not finish for this long is another's. Longer than any healthy batch takes."""


class Intaken(Struct, frozen=True):
    """One message as it was taken in at the door.

    trace: the correlation id (32 hex digits, a W3C trace id), the same in every log line, error report and Odoo call.
    sealed: body and headers, see shipments/store/seal.py.
    """

    id: UUID
    carrier: str
    account: str
    lane: str
    received_at: datetime
    trace: str
    sealed: bytes

    def fields(self) -> dict[str, str | bytes]:
        """As a stream entry."""
        return {
            "id": str(self.id),
            "carrier": self.carrier,
            "account": self.account,
            "received_at": self.received_at.isoformat(),
            "trace": self.trace,
            "sealed": self.sealed,
        }

    @classmethod
    def from_fields(cls, lane: str, entry: Mapping[bytes, bytes]) -> "Intaken":
        """From a stream entry."""
        return cls(
            id=UUID(entry[b"id"].decode()),
            carrier=entry[b"carrier"].decode(),
            account=entry[b"account"].decode(),
            lane=lane,
            received_at=datetime.fromisoformat(entry[b"received_at"].decode()),
            trace=entry[b"trace"].decode(),
            sealed=entry[b"sealed"],
        )


class Kept(Struct, frozen=True):
    """What the stream said of a message it took: whether a worker must be woken, and how many wait now."""

    wake: bool
    length: int


Entry = tuple[bytes, Intaken | None]
"""An entry's id in the stream and its message; None where the entry is not a message of ours."""


def connect(url: str, timeout_seconds: float = 5.0) -> redis.Redis:
    """A client with timeouts and health checks; nothing is sent until it is used."""
    return redis.Redis.from_url(
        url, socket_timeout=timeout_seconds, socket_connect_timeout=min(timeout_seconds, 1.0), health_check_interval=30
    )


class Intake:
    """The streams of all lanes on one server. Raises redis.RedisError where the server does."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._suspects = Suspects(client)
        self._usual_bytes = 1

    def add(self, message: Intaken) -> Kept:
        """Appends the message; when it returns, the message is on disk."""
        return self.add_all([message])[0]

    def add_all(self, messages: Sequence[Intaken]) -> list[Kept]:
        """Appends messages of one lane in one round trip; when it returns, they are on disk."""
        return kept_of(messages, self._ask(to_add(messages)))

    def _ask(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The answers to commands that are sent together. A pipeline of redis-py takes three times the CPU for it."""
        pool = self._client.connection_pool
        connection: Any = pool.get_connection()

        def ask() -> list[Any]:
            connection.send_packed_command([b"".join(connection.pack_commands(commands))])
            return [connection.read_response() for _ in commands]

        try:
            answers: list[Any] = connection.retry.call_with_retry(ask, lambda _: connection.disconnect())
        except BaseException:
            connection.disconnect()  # answers may be left unread
            raise
        finally:
            pool.release(connection)
        return answers

    def recover(self, lane: str, consumer: str, count: int) -> list[Entry]:
        """Entries this consumer took and never finished, or those of consumers that died, in parts. Before `take`.

        An entry that is suspected of killing its consumers comes alone, see shipments/store/suspects.py.
        """
        self._prepare(lane)
        stream = STREAM.format(lane=lane)
        idle, asked = int(TAKE_OVER_AFTER.total_seconds() * 1000), min(READ_AT_ONCE, count)
        left: Any = self._client.xautoclaim(stream, GROUP, consumer, min_idle_time=idle, count=asked, justid=True)
        self._suspects.note_first(lane, left)
        return list(self._suspects.choose(lane, dict(self._read(lane, consumer, "0", asked))).items())

    def take(self, lane: str, consumer: str, count: int) -> list[Entry]:
        """Up to `count` entries nobody has taken yet; they are this consumer's until it finishes them.

        Fewer where their bodies are large: what a worker holds is bounded by BATCH_BYTES, whatever carriers send.
        """
        taken: list[Entry] = []
        size = 0
        while len(taken) < count and size < BATCH_BYTES:
            fitting = max(1, (BATCH_BYTES - size) // self._usual_bytes)
            asked = min(READ_AT_ONCE, count - len(taken), fitting)
            part = self._read(lane, consumer, ">", asked)
            taken += part
            read = sum(len(message.sealed) for _, message in part if message)
            size += read
            self._usual_bytes = max(1, self._usual_bytes // 2, read // max(1, len(part)))
            if len(part) < asked:
                break
        return taken

    def finish(self, lane: str, entry_ids: list[bytes]) -> None:
        """Takes stored entries off the stream."""
        if entry_ids:
            stream = STREAM.format(lane=lane)
            pipe = self._client.pipeline(transaction=False)
            pipe.xack(stream, GROUP, *entry_ids)
            pipe.xdel(stream, *entry_ids)
            pipe.execute()

    def begin_drain(self, lane: str) -> None:
        """Sets the waiting count back: whatever arrives from now on wakes a worker again."""
        self._client.delete(WAITING.format(lane=lane))

    def waited(self, entry_id: bytes) -> timedelta:
        """How long that entry has been in its stream, by the server's clock."""
        seconds, micro = self._client.time()
        since = timedelta(milliseconds=int(entry_id.partition(b"-")[0]))
        return timedelta(seconds=seconds, microseconds=micro) - since

    def length(self, lane: str) -> int:
        """Messages in the stream: those waiting and those being worked on."""
        return int(self._client.xlen(STREAM.format(lane=lane)))

    def durability_faults(self) -> list[str]:
        """What keeps a 202 from being a promise on this server, a sentence each; empty when all is well.

        A managed server may not show its configuration: then nothing can be said, and nothing is.
        """
        try:
            config = self._client.config_get("append*", "maxmemory-policy")
        except redis.ResponseError:
            return []
        return list(_faults(_texts(config)))

    def forget_consumers(self, lane: str, idle: timedelta) -> int:
        """Forgets consumers that are long gone and hold nothing; how many."""
        self._prepare(lane)
        stream, longest = STREAM.format(lane=lane), idle.total_seconds() * 1000
        consumers: Any = self._client.xinfo_consumers(stream, GROUP)
        gone = [c["name"] for c in consumers if c["pending"] == 0 and c["idle"] > longest]
        for name in gone:
            self._client.xgroup_delconsumer(stream, GROUP, name)
        return len(gone)

    def _read(self, lane: str, consumer: str, start: str, count: int) -> list[Entry]:
        answer: Any = self._client.xreadgroup(GROUP, consumer, {STREAM.format(lane=lane): start}, count=count)
        return [(entry_id, _message(lane, fields)) for _, entries in answer or () for entry_id, fields in entries]

    def _prepare(self, lane: str) -> None:
        try:
            self._client.xgroup_create(STREAM.format(lane=lane), GROUP, id="0", mkstream=True)
        except redis.ResponseError as answer:
            if "BUSYGROUP" not in str(answer):
                raise


def to_add(messages: Sequence[Intaken]) -> list[tuple[Any, ...]]:
    """The commands that append messages of one lane, to be sent in one go."""
    stream, counter = STREAM.format(lane=messages[0].lane), WAITING.format(lane=messages[0].lane)
    appends = [("XADD", stream, "*", *chain.from_iterable(message.fields().items())) for message in messages]
    return [*appends, ("INCRBY", counter, len(messages)), ("XLEN", stream)]


def kept_of(messages: Sequence[Intaken], answers: Sequence[Any]) -> list[Kept]:
    """What the answers to those commands say of each of the messages."""
    *_, waiting, length = answers
    places = range(waiting - len(messages) + 1, waiting + 1)
    return [Kept(wake=place == 1 or place % WAKE_EVERY == 0, length=length) for place in places]


def _faults(config: Mapping[str, str]) -> Iterator[str]:
    if config.get("appendonly") != "yes":
        yield "Redis has no append-only file (appendonly is not yes): accepted messages would not survive a restart"
    elif config.get("appendfsync") != "always":
        yield "Redis does not fsync every write (appendfsync is not always): a power cut would lose the last second"
    if config.get("maxmemory-policy", "noeviction") != "noeviction":
        yield "Redis may evict (maxmemory-policy is not noeviction): accepted messages could be thrown away"


def _texts(config: Mapping[Any, Any]) -> dict[str, str]:
    return {_text(k): _text(v) for k, v in config.items()}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _message(lane: str, fields: Mapping[bytes, bytes] | None) -> Intaken | None:
    """A malformed entry is somebody else's; it is finished so that it does not block the lane, and logged."""
    try:
        return Intaken.from_fields(lane, fields or {})
    except (KeyError, ValueError):
        return None
