"""Seals: beside every result `X` lies `.X.seal`, which says what its bytes are and what made them.

A seal is JSON: `files` (SHA-256 by name, of the file itself or of every file in the folder) and `made_by` (script,
arguments, checksums of what it read, commit, versions). A step refuses what does not fit its seal; what has none is
taken as it is.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from selfembed.errors import InputError

# What this process was given and has checked: path → checksum.
given: dict[str, str] = {}


def place(unit: Path) -> Path:
    """Where the seal of a file or folder lies."""
    return unit.parent / f".{unit.name}.seal"


def write(content: Path, name: str, made_by: dict[str, Any]) -> Path:
    """Seal a file or folder that is to get a name, and return the seal; seals of a folder's parts are dropped."""
    for part in content.rglob(".*.seal"):
        part.unlink()
    seal = place(content.with_name(name))
    sealed = {"files": checksums(content, name), "made_by": made_by}
    seal.write_text(json.dumps(sealed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return seal


def read(unit: Path) -> dict[str, Any]:
    """The seal of a file or folder.

    Raises InputError if the seal itself is damaged.
    """
    try:
        found = json.loads(place(unit).read_text(encoding="utf-8"))
        return {"files": dict(found["files"]), "made_by": dict(found["made_by"])}
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{place(unit)}: cannot be read; delete it and {unit}, and run snakemake again") from error


def check(path: Path) -> str:
    """Check a file or folder against the seal that covers it: its own, or that of a folder above it.

    Returns its checksum: a file's SHA-256, or one of the names and checksums of a folder's files.

    Raises InputError if a file is not what was written, or is gone.
    """
    unit, sealed = covered(path)
    for file, sha256 in sealed.items():
        if not (unit.parent / file).is_file() or checksum(unit.parent / file) != sha256:
            damaged = unit.parent / file
            raise InputError(f"{damaged}: damaged: its checksum does not match; delete {unit} and run snakemake again")
    return together(path, sealed)


def recorded(path: Path) -> str:
    """The checksum that `check` returns, without checking."""
    return together(path, covered(path)[1])


def covering(path: Path) -> Path | None:
    """The file or folder whose seal covers a path: the path itself or a folder above it; None without a seal."""
    return next((unit for unit in (path, *path.parents) if place(unit).is_file()), None)


def covered(path: Path) -> tuple[Path, dict[str, str]]:
    """What `covering` finds, and the checksums in its seal of the path's files; the path and none without a seal."""
    unit = covering(path)
    if unit is None:
        return path, {}
    name = path.relative_to(unit.parent).as_posix()
    return unit, {file: sha256 for file, sha256 in read(unit)["files"].items() if f"{file}/".startswith(f"{name}/")}


def opened(path: Path) -> Path:
    """A path that this process was given, checked; what it writes will say so."""
    given[str(path)] = check(path)
    return path


def taken(path: Path) -> Path:
    """A path that this process was given and checks in a way of its own; what it writes will say so."""
    given[str(path)] = recorded(path)
    return path


def checksums(path: Path, name: str) -> dict[str, str]:
    """SHA-256 of a file that is to get a name, or of every file in a folder that is, in alphabetical order."""
    if not path.is_dir():
        return {name: checksum(path)}
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {f"{name}/{file.relative_to(path).as_posix()}": checksum(file) for file in files}


def together(path: Path, sealed: dict[str, str]) -> str:
    """One checksum of a file, or of a folder's files and their names; of what lies there if nothing is sealed."""
    files = sealed or checksums(path, path.name)
    if path.is_file():
        return next(iter(files.values()))
    lines = (f"{name.split(f'{path.name}/', 1)[-1]} {sha256}\n" for name, sha256 in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
