"""The only place that asks what time it is, so that a test can say."""

import os
import time
from datetime import UTC, datetime
from uuid import UUID


def now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then 74 random bits, so ids sort by time.

    Python brings uuid.uuid7 from 3.14 on; this is the same layout for 3.11 and newer.
    """
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 0x7 << 76  # version
    value = value & ~(0x3 << 62) | 0x2 << 62  # variant
    return UUID(int=value)


def first_id(at: datetime) -> UUID:
    """The least that `new_id` may give at that time: ids below it were made before."""
    return UUID(int=int(at.timestamp() * 1000) << 80)


def time_of(made: UUID) -> datetime:
    """When `new_id` gave it, to the millisecond."""
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)
