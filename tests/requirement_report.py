"""Prints each requirement with the tests that prove it: python -m tests.requirement_report."""

import re
import sys
from collections import defaultdict
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[1] / "docs" / "requirements.md"
LINE = re.compile(r"^\| ([MBX]\d+) \| ([^|]+) \|")


class Proofs:
    """A pytest plugin that notes which test names which requirement. No test runs."""

    def __init__(self) -> None:
        self.tests: dict[str, set[str]] = defaultdict(set)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Reads the marks. The cases of a parametrized test count as one."""
        for item in items:
            for mark in item.iter_markers("requirement"):
                for name in mark.args:
                    self.tests[name].add(item.nodeid.partition("[")[0])


def read_requirements(text: str) -> dict[str, str]:
    """The sentence of each requirement by its id, in the order of the document."""
    return {found[1]: found[2].strip() for line in text.splitlines() if (found := LINE.match(line))}


def report(requirements: dict[str, str], proofs: dict[str, set[str]]) -> list[str]:
    """The lines to print. A mark with an id that the document does not know is said as well."""
    lines = []
    for name, sentence in requirements.items():
        lines.append(f"{name:5} {sentence}")
        lines += [f"      {test}" for test in sorted(proofs.get(name, ()))] or ["      no test yet"]
    unknown = sorted(set(proofs) - set(requirements))
    lines += [f"{name} is marked in {test} but stands in no document" for name in unknown for test in proofs[name]]
    proved = sum(1 for name in requirements if proofs.get(name))
    return [*lines, "", f"{proved} of {len(requirements)} requirements have a test"]


def main() -> int:
    """Collects all tests and prints the report. Returns 1 if they cannot be collected."""
    proofs = Proofs()
    with redirect_stdout(StringIO()):
        status = pytest.main(["--collect-only"], plugins=[proofs])
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        print("The tests cannot be collected: make test says why.", file=sys.stderr)
        return 1
    print("\n".join(report(read_requirements(DOCUMENT.read_text(encoding="utf-8")), proofs.tests)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
