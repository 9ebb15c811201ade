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


def write(content: Path, made_by: dict[str, Any]) -> Path:
    """Seal a file or folder where it lies, and return the seal; seals of a folder's parts are dropped."""
    for part in content.rglob(".*.seal"):
        part.unlink()
    sealed = {"files": checksums(content, content.parent), "made_by": made_by}
    place(content).write_text(json.dumps(sealed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return place(content)


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
    unit = next((unit for unit in (path, *path.parents) if place(unit).is_file()), None)
    if unit is None:
        return together(path, checksums(path, path.parent))
    name = path.relative_to(unit.parent).as_posix()
    sealed = {file: sha256 for file, sha256 in read(unit)["files"].items() if f"{file}/".startswith(f"{name}/")}
    for file, sha256 in sealed.items():
        if not (unit.parent / file).is_file() or checksum(unit.parent / file) != sha256:
            damaged = unit.parent / file
            raise InputError(f"{damaged}: damaged, not what was written; delete {unit} and run snakemake again")
    return together(path, sealed or checksums(path, unit.parent))


def opened(path: Path) -> Path:
    """A path that this process was given, checked; what it writes will say so."""
    given[str(path)] = check(path)
    return path


def checksums(path: Path, root: Path) -> dict[str, str]:
    """SHA-256 of a file, or of every file in a folder, by their paths from `root`, in alphabetical order."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return {file.relative_to(root).as_posix(): checksum(file) for file in files}


def together(path: Path, files: dict[str, str]) -> str:
    """One checksum of a file, or of a folder's files."""
    if path.is_file():
        return next(iter(files.values()))
    return hashlib.sha256(
        repr(sorted((Path(name).name, sha256) for name, sha256 in files.items())).encode()
    ).hexdigest()


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
