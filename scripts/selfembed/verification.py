"""Verify results against their seals: `python -m selfembed.verification [FOLDER …] [--delete]`, or `make verify`.

Says which results are damaged (not the bytes that were written), and which are outdated: made from something that has
changed since, or with packages other than the installed ones. With --delete, damaged results and those made from
something that has changed are deleted, so that the next run of Snakemake makes these again, and what follows from them.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from selfembed import command_line, seals
from selfembed.errors import InputError
from selfembed.versions import installed_version


def sealed(folder: Path) -> Iterator[Path]:
    """Every result below a folder that has a seal."""
    for seal in sorted(folder.rglob(".*.seal")):
        unit = seal.with_name(seal.name.removeprefix(".").removesuffix(".seal"))
        if unit.exists():
            yield unit


def problem(unit: Path) -> str | None:
    """What is wrong with a result, as one line; None if it is what was written, from what lies there now."""
    try:
        seals.check(unit)
        made_by = seals.read(unit)["made_by"]
        for path, checksum in made_by["inputs"].items():
            if Path(path).exists() and seals.check(Path(path)) != checksum:
                return f"{unit}: outdated: made from another {path}"
    except InputError as error:
        return str(error).split(";")[0]
    return None


def other_versions(unit: Path) -> dict[str, str]:
    """Packages that a result was made with in versions other than the installed ones."""
    packages = seals.read(unit)["made_by"]["packages"]
    return {name: version for name, version in packages.items() if version != installed_version(name)}


def delete(unit: Path) -> None:
    """Delete a result and its seal."""
    shutil.rmtree(unit) if unit.is_dir() else unit.unlink()
    seals.place(unit).unlink()


def main(argv: list[str]) -> None:
    """Verify folders; exit status 1 if anything is damaged or outdated."""
    parser = command_line.parser(__doc__)
    parser.add_argument(
        "folders", type=Path, nargs="*", default=[Path("results"), Path("figures")], help="where to look"
    )
    parser.add_argument("--delete", action="store_true", help="delete what is damaged or outdated")
    arguments = parser.parse_args(argv)
    units = [unit for folder in arguments.folders for unit in sealed(folder)]
    problems = {unit: found for unit in units if (found := problem(unit))}
    for found in problems.values():
        print(f"{found}; deleted" if arguments.delete else found)
    versions: dict[tuple[str, str], int] = {}
    for unit in set(units) - set(problems):
        for package in other_versions(unit).items():
            versions[package] = versions.get(package, 0) + 1
    for (name, version), number in sorted(versions.items()):
        print(f"{number} results were made with {name} {version}; installed: {installed_version(name)}")
    if arguments.delete:
        for unit in problems:
            delete(unit)
    print(f"{len(units)} results, {len(problems)} damaged or outdated")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    command_line.run(main)
