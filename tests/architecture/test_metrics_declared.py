"""A metric is declared in config/metrics.py or it does not exist."""

import ast
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import Counter, Gauge, Histogram

from config import metrics

ROOT = Path(__file__).parents[2]
DECLARED = {name for name, value in vars(metrics).items() if isinstance(value, Counter | Gauge | Histogram)}


def sources() -> Iterator[Path]:
    for package in ("app", "workers", "carriers", "shipments", "config"):
        yield from (p for p in (ROOT / package).rglob("*.py") if p != ROOT / "config" / "metrics.py")


def test_metrics_are_made_in_one_place() -> None:
    makers = ("prometheus_client.Counter", "import Counter", "Counter(", "Gauge(", "Histogram(")
    made = [p for p in sources() for word in makers if "prometheus" in p.read_text() and word in p.read_text()]
    assert made == []


def test_every_metric_that_is_used_is_declared() -> None:
    used = {
        node.attr
        for path in sources()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "metrics"
        if node.attr.isupper()
    }
    assert used <= DECLARED | {"COUNTED", "MEASURED", "ACCOUNT"}
