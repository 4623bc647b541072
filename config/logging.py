"""Log lines: one JSON object each, by the standard library. No body, header, name, address or secret gets in.

What may stand in a line beside our own sentence is a list (EXTRAS), not whatever was handed over. An exception is
shown by its type and frames; its text is shown only where we wrote it, because others quote the data they choked on.
"""

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import Any

import msgspec

from config.settings import Settings

EXTRAS = ("message_id", "parcel", "shipment", "carrier", "stage", "trace", "fault", "code", "kind")
"""trace is the correlation id, the same in error reports and Odoo calls. parcel is a tracking number, code a
carrier's, kind an effect's."""

HARMLESS = ("name", "id", "description", "runtime", "return_value")
"""Of what Celery's lines about a task name: never args and kwargs, nor the text of an exception or a traceback."""

_OURS = frozenset(("app", "workers", "carriers", "shipments", "config", "milepost"))


def configure(settings: Settings, process: str) -> None:
    """Every logger of this process writes JSON lines to standard error. process: its name in Procfile."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLine(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level)
    logging.captureWarnings(True)
    # a line names its logger, not its file, thread or process, and finding these out is half of what a record costs
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False


def info_each(log: logging.Logger, message: str, extras: Iterable[Mapping[str, Any]]) -> None:
    """A line for each of these extras, as `log.info` writes it; all are written at once.

    For thousands a second: what the standard library does for a record takes ten times as long as its line. Where
    anybody else listens as well, such as a test, they are records like others.
    """
    handlers = logging.getLogger().handlers
    ours = handlers[0] if len(handlers) == 1 else None
    if not (isinstance(ours, logging.StreamHandler) and isinstance(ours.formatter, JsonLine)):
        for extra in extras:
            log.info(message, extra=extra)
    elif log.isEnabledFor(logging.INFO):
        at = time.time()
        lines = [ours.formatter.line(at, "INFO", log.name, message, extra) for extra in extras]
        with ours.lock or nullcontext():
            ours.stream.write("".join(f"{_written(line)}\n" for line in lines))
            ours.flush()


class JsonLine(logging.Formatter):
    """A record as one line of JSON."""

    def __init__(self, process: str) -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line = self.line(record.created, record.levelname, record.name, _sentence(record), record.__dict__)
        if record.exc_info and record.exc_info[1]:
            line["exception"] = describe(record.exc_info[1])
        return _written(line)

    def line(self, at: float, level: str, logger: str, message: str, extras: Mapping[str, Any]) -> dict[str, Any]:
        """What a line says. at: seconds since 1970. extras: those of EXTRAS among them are shown."""
        return {
            "time": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"),
            "level": level,
            "process": self._process,
            "logger": logger,
            "message": message,
            **{name: str(extras[name]) for name in EXTRAS if extras.get(name) is not None},
        }


def _written(line: Mapping[str, Any]) -> str:
    try:
        return msgspec.json.encode(line).decode()
    except UnicodeEncodeError:  # such as half a letter, in what others log
        return json.dumps(line, ensure_ascii=False)


def describe(exception: BaseException) -> dict[str, Any]:
    """The exception without the data it may hold: type, frames, cause, and the text if it is one of ours."""
    told: dict[str, Any] = {"type": type(exception).__qualname__}
    if is_our_error(type(exception)):
        told["text"] = str(exception)
    frames = traceback.extract_tb(exception.__traceback__)
    told["frames"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
    if exception.__cause__:
        told["cause"] = describe(exception.__cause__)
    return told


def is_our_error(kind: type[BaseException]) -> bool:
    """Whether the text is a sentence of ours: MilepostError and what is below it."""
    return any((k.__module__, k.__name__) == ("shipments.errors", "MilepostError") for k in kind.__mro__)


def is_our_logger(name: str) -> bool:
    """Whether the words logged there are ours."""
    return name.partition(".")[0] in _OURS


def _sentence(record: logging.LogRecord) -> str:
    """The message; of others' loggers without what they quote of an exception, or of the data that led to it."""
    args = record.args
    if not is_our_logger(record.name):
        if isinstance(args, dict):
            args = _Harmless(args, record.exc_info)
        elif record.exc_info and args:
            args = tuple(_harmless(arg) for arg in args)
    try:
        return str(record.msg) % args if args else str(record.msg)
    except (TypeError, ValueError, KeyError):
        return str(record.msg)


def _harmless(arg: object) -> object:
    """A number as it is, an exception as its type; of everything else it cannot be known what it quotes."""
    if isinstance(arg, BaseException):
        return _Words(type(arg).__qualname__)
    return arg if isinstance(arg, int | float) else _Words("...")


class _Words(str):
    """Words that stand without quotation marks also where %r asks for them."""

    __slots__ = ()
    __repr__ = str.__str__


class _Harmless(dict[str, Any]):
    """The named arguments of another's message: what stands in HARMLESS as it is, an exception as its type."""

    def __init__(self, named: Mapping[str, Any], exc_info: Any) -> None:
        super().__init__({name: value for name, value in named.items() if name in HARMLESS})
        self["exc"] = exc_info[0].__qualname__ if exc_info and exc_info[0] else "an exception"

    def __missing__(self, name: str) -> str:
        return "..."
