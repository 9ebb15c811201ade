"""What made a result: `make lineage OF=figures/demo/layers.png`, or `python -m selfembed.lineage PATH`.

Prints, for a table, figure, model or any other result, the script with its arguments, the commit, the machine type and
the versions that made it, then the same for everything it was made from, down to the files that no step wrote, each
with its SHA-256. What is not what was read then is marked.
"""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selfembed import command_line, seals
from selfembed.errors import InputError


def main(argv: list[str]) -> None:
    """Print the lineage of a result."""
    parser = command_line.parser(__doc__)
    parser.add_argument("path", type=command_line.existing, help="file or folder below results/ or figures/")
    parser.add_argument("--deep", action="store_true", help="all that it was made from, not what made itself alone")
    arguments = parser.parse_args(argv)
    print("\n".join(lines(arguments.path, arguments.deep)))


def lines(path: Path, deep: bool) -> Iterator[str]:
    """The lineage of a result, results before what they were made from, each once.

    Raises InputError if no step wrote the path.
    """
    if unit_of(path) is None:
        raise InputError(f"{path}: no step of this workflow wrote it; needed: a result with a seal beside it")
    left, seen = [path], set()
    while left:
        unit = unit_of(left.pop(0))
        if unit is None or unit in seen:
            continue
        seen.add(unit)
        made_by = seals.read(unit)["made_by"]
        yield from described(unit, made_by)
        if deep:
            left += [Path(name) for name in made_by["inputs"]]


def unit_of(path: Path) -> Path | None:
    """The result that a path is, or is part of; None if no step wrote it."""
    return next((unit for unit in (path, *path.parents) if seals.place(unit).is_file()), None)


def described(unit: Path, made_by: dict[str, Any]) -> Iterator[str]:
    """What made one result."""
    yield f"{unit}"
    yield f"  made by    {made_by['script']} {shlex.join(made_by['arguments'])}"
    yield f"  code       commit {made_by['commit'] or 'unknown'}"
    packages = ", ".join(f"{name} {version}" for name, version in made_by["packages"].items())
    yield f"  versions   Python {made_by['python']}, {packages}"
    yield f"  machine    {made_by['machine']}"
    for name, checksum in made_by["inputs"].items():
        yield f"  from       {name}  sha256 {checksum}{now(Path(name), checksum)}"


def now(path: Path, checksum: str) -> str:
    """How a path differs from what was read; nothing if it does not."""
    if not path.exists():
        return "  (gone)"
    return "" if seals.recorded(path) == checksum else "  (has changed since)"


if __name__ == "__main__":
    command_line.run(main)
