"""What `make requirements` prints can be believed."""

from tests.requirement_report import DOCUMENT, read_requirements, report


def test_every_line_of_the_document_is_read() -> None:
    read = read_requirements(DOCUMENT.read_text(encoding="utf-8"))
    assert [f"M{number}" for number in range(1, 151)] == [name for name in read if name.startswith("M")]
    assert [f"B{number}" for number in range(1, 9)] == [name for name in read if name.startswith("B")]
    assert [f"X{number}" for number in range(1, 23)] == [name for name in read if name.startswith("X")]


def test_a_requirement_without_a_test_and_a_mark_without_a_requirement_are_said() -> None:
    lines = report({"M1": "one.", "M2": "two."}, {"M1": {"tests/a.py::test_one"}, "M999": {"tests/a.py::test_two"}})
    assert lines == [
        "M1    one.",
        "      tests/a.py::test_one",
        "M2    two.",
        "      no test yet",
        "M999 is marked in tests/a.py::test_two but stands in no document",
        "",
        "1 of 2 requirements have a test",
    ]
