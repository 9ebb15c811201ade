"""Seals: `.X.seal` beside every result `X` records its checksums and how it was made.

A seal is JSON: `files` (SHA-256 by name, of the file or of every file in the folder) and `made_by` (script, arguments,
checksums of inputs, commit, versions). Steps reject inputs that do not match their seal; inputs without a seal are
accepted.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from selfembed.errors import InputError

# Inputs of this process that were checked: path → checksum.
given: dict[str, str] = {}


def place(unit: Path) -> Path:
    """Path of the seal of a file or folder."""
    return unit.parent / f".{unit.name}.seal"


def write(content: Path, name: str, made_by: dict[str, Any]) -> Path:
    """Return the seal of a file or folder under its final name; seals of parts of a folder are deleted."""
    for part in content.rglob(".*.seal"):
        part.unlink()
    seal = place(content.with_name(name))
    sealed = {"files": checksums(content, name), "made_by": made_by}
    seal.write_text(json.dumps(sealed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return seal


def read(unit: Path) -> dict[str, Any]:
    """Read the seal of a file or folder.

    Raises InputError if the seal itself is damaged.
    """
    try:
        found = json.loads(place(unit).read_text(encoding="utf-8"))
        return {"files": dict(found["files"]), "made_by": dict(found["made_by"])}
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{place(unit)}: cannot be read; delete it and {unit}, and run snakemake again") from error


def check(path: Path) -> str:
    """Compare a file or folder with its seal, or with the seal of a parent folder.

    Returns its checksum: the SHA-256 of a file, or of the names and checksums of the files in a folder.

    Raises InputError if a file differs from its seal or is missing.
    """
    unit, sealed = covered(path)
    for file, sha256 in sealed.items():
        if not (unit.parent / file).is_file() or checksum(unit.parent / file) != sha256:
            damaged = unit.parent / file
            raise InputError(f"{damaged}: damaged: its checksum does not match; delete {unit} and run snakemake again")
    return together(path, sealed)


def recorded(path: Path) -> str:
    """Return the checksum of `check` from the seal, without reading the files."""
    return together(path, covered(path)[1])


def covering(path: Path) -> Path | None:
    """Return the path or parent folder whose seal covers a path; None without a seal."""
    return next((unit for unit in (path, *path.parents) if place(unit).is_file()), None)


def covered(path: Path) -> tuple[Path, dict[str, str]]:
    """Return what `covering` finds and the checksums of the path in its seal; the path and None without a seal."""
    unit = covering(path)
    if unit is None:
        return path, {}
    name = path.relative_to(unit.parent).as_posix()
    return unit, {file: sha256 for file, sha256 in read(unit)["files"].items() if f"{file}/".startswith(f"{name}/")}


def opened(path: Path) -> Path:
    """Check an input path and record it for the seals of this process."""
    given[str(path)] = check(path)
    return path


def taken(path: Path) -> Path:
    """Record an input path, checked otherwise, for the seals of this process."""
    given[str(path)] = recorded(path)
    return path


def checksums(path: Path, name: str) -> dict[str, str]:
    """SHA-256 of a file under its final name, or of every file in a folder, in alphabetical order."""
    if not path.is_dir():
        return {name: checksum(path)}
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {f"{name}/{file.relative_to(path).as_posix()}": checksum(file) for file in files}


def together(path: Path, sealed: dict[str, str]) -> str:
    """Return one checksum of a file, or of the names and files of a folder; of the current content without a seal."""
    files = sealed or checksums(path, path.name)
    if path.is_file():
        return next(iter(files.values()))
    lines = (f"{name.split(f'{path.name}/', 1)[-1]} {sha256}\n" for name, sha256 in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
