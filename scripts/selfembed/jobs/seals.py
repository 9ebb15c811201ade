"""Seals: every result `X` has a file `.X.seal` next to it, with the checksums and the provenance of the result.

A seal is JSON: `files` (SHA-256 by name, of the file itself or of every file in the folder) and `made_by` (script,
arguments, checksums of inputs, commit, versions). A step rejects inputs that do not match their seal; inputs without a
seal are not checked. The seal stays when its result is removed (`keep: results`), so that lineage passes through it.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from selfembed.errors import InputError

# Inputs of this process: path → checksum.
given: dict[str, str] = {}


def place(unit: Path) -> Path:
    """Return the path of the seal of a file or folder."""
    return unit.parent / f".{unit.name}.seal"


def write(content: Path, name: str, made_by: dict[str, Any]) -> Path:
    """Write the seal of a file or folder that will be renamed to `name`; delete seals inside the folder.

    Returns the path of the seal.
    """
    for part in content.rglob(".*.seal"):
        part.unlink()
    seal = place(content.with_name(name))
    sealed = {"files": checksums(content, name), "made_by": made_by}
    seal.write_text(json.dumps(sealed, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return seal


def read(unit: Path) -> dict[str, Any]:
    """Read the seal of a file or folder.

    Raises InputError if the seal is damaged.
    """
    try:
        found = json.loads(place(unit).read_text(encoding="utf-8"))
        return {"files": dict(found["files"]), "made_by": dict(found["made_by"])}
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise InputError(f"{place(unit)}: cannot be read; delete it and {unit}, and run snakemake again") from error


def check(path: Path) -> str:
    """Check a file or folder against its seal or the seal of a parent folder.

    Returns its checksum: the SHA-256 of a file, or of the names and checksums of the files in a folder.

    Raises InputError if a file is missing or does not match its checksum.
    """
    unit, sealed = covered(path)
    for file, sha256 in sealed.items():
        if not (unit.parent / file).is_file() or checksum(unit.parent / file) != sha256:
            damaged = unit.parent / file
            raise InputError(f"{damaged}: damaged: its checksum does not match; delete {unit} and run snakemake again")
    return together(path, unit, sealed)


def recorded(path: Path) -> str:
    """Return the same checksum as `check`, without checking the files; sealed ones need not exist."""
    return together(path, *covered(path))


def covering(path: Path) -> Path | None:
    """Return the path itself or the nearest parent folder that has a seal; None if there is none."""
    return next((unit for unit in (path, *path.parents) if place(unit).is_file()), None)


def covered(path: Path) -> tuple[Path, dict[str, str]]:
    """Return the result of `covering` and the sealed checksums of the files of `path`.

    Without a seal, return the path and no checksums.
    """
    unit = covering(path)
    if unit is None:
        return path, {}
    name = path.relative_to(unit.parent).as_posix()
    return unit, {file: sha256 for file, sha256 in read(unit)["files"].items() if f"{file}/".startswith(f"{name}/")}


def opened(path: Path) -> Path:
    """Check an input and record it for the seals of this process; return its path."""
    given[str(path)] = check(path)
    return path


def taken(path: Path) -> Path:
    """Record an input for the seals of this process without checking it; return its path."""
    given[str(path)] = recorded(path)
    return path


def checksums(path: Path, name: str) -> dict[str, str]:
    """Return the SHA-256 of a file, or of every file in a folder, sorted, by paths that start with `name`."""
    if not path.is_dir():
        return {name: checksum(path)}
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {f"{name}/{file.relative_to(path).as_posix()}": checksum(file) for file in files}


def together(path: Path, unit: Path, sealed: dict[str, str]) -> str:
    """Return one checksum of a file, or of the files in a folder and their names.

    Without sealed checksums, compute them from the files.
    """
    name = path.relative_to(unit.parent).as_posix()
    files = sealed or checksums(path, name)
    if name in files:
        return files[name]
    lines = (f"{file.removeprefix(f'{name}/')} {sha256}\n" for file, sha256 in sorted(files.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
