"""`make carrier NAME=...`: a folder that fails the contract until it is filled."""

import re
import sys
from pathlib import Path

CARRIERS = Path(__file__).parents[1] / "carriers"
TEMPLATE = CARRIERS / "_template"
SHARED = ("proof", "reading", "sources")


def make(name: str, carriers: Path = CARRIERS) -> list[Path]:
    """Copies the template under that name. Returns the files made; raises ValueError with a sentence for a person."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,39}", name) or name in SHARED:
        raise ValueError(f"{name!r} cannot be a carrier's name: 2 to 40 of a-z, 0-9 and _, and not {', '.join(SHARED)}")
    folder = carriers / name
    if folder.exists():
        raise ValueError(f"{folder} is there already")
    (folder / "samples").mkdir(parents=True)
    made = []
    for source in sorted(path for path in TEMPLATE.iterdir() if path.is_file()):
        words = source.read_text(encoding="utf-8")
        words = words.replace("CARRIER_TITLE", name.replace("_", " ").title())
        words = words.replace("CARRIER_TEMPLATE", f"CARRIER_{name.upper()}").replace("_template", name)
        made.append(folder / source.name)
        made[-1].write_text(words, encoding="utf-8")
    return made


def main() -> None:
    """The command line."""
    try:
        made = make(*sys.argv[1:])
    except (TypeError, ValueError) as fault:
        sys.exit(f"make carrier NAME=acme: {fault}")
    print(*made, sep="\n")
    print(f"\nNow fill them: docs/carriers.md says how, and the contract says what is missing:\n"
          f'  make test ARGS="tests/carriers -k {made[0].parent.name}"')  # fmt: skip


if __name__ == "__main__":
    main()
