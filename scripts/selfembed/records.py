"""Provenance, checksums, and writing that leaves no half files."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from selfembed.command_line import log
from selfembed.errors import NoSpaceError, of_full_disk
from selfembed.versions import installed_version

# The packages whose versions can change a number.
PACKAGES = ("torch", "transformers", "tokenizers", "sentence-transformers", "numpy", "scipy", "scikit-learn", "pandas")


IDENTITY = "identity.json"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` (a file or a folder to be) that replaces it only when the block succeeds.

    Raises NoSpaceError if the disk is full.
    """
    path = Path(path)
    with naming_full_disk(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        shelter = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            yield shelter / path.name
            move(shelter / path.name, path)
        finally:
            shutil.rmtree(shelter, ignore_errors=True)


@contextmanager
def resumable(path: Path, identity: dict[str, Any]) -> Iterator[tuple[Path, Path]]:
    """Yield two folders for a long job: for its state, and for the result that replaces `path` when the block succeeds.

    They lie beside `path`, where snakemake, which deletes the outputs of failed jobs, leaves them alone. Both are as an
    earlier call with the same identity left them, however it ended; what a call with another identity left is removed,
    and so is what a failed one leaves without any file of state.

    Args:
        identity: everything that decides the result, as JSON.

    Raises NoSpaceError if the disk is full.
    """
    path = Path(path)
    unfinished = path.parent / f".{path.name}.unfinished"
    state, result = unfinished / "state", unfinished / "result"
    with naming_full_disk(path):
        if not left_by(unfinished, identity):
            shutil.rmtree(unfinished, ignore_errors=True)
            state.mkdir(parents=True)
            result.mkdir()
            write_json(identity, unfinished / IDENTITY)
        for shelter in result.glob(".*"):  # of a file that a killed call was about to write
            shutil.rmtree(shelter)
        try:
            yield state, result
        except BaseException:
            if not any(found.is_file() for found in state.rglob("*")):
                shutil.rmtree(unfinished, ignore_errors=True)
            raise
        move(result, path)
        shutil.rmtree(unfinished)


def left_by(unfinished: Path, identity: dict[str, Any]) -> bool:
    """Whether a folder holds unfinished work of this identity."""
    if not unfinished.is_dir():
        return False
    try:
        same = read_json(unfinished / IDENTITY) == json.loads(json.dumps(identity))
    except (OSError, ValueError):
        return False
    if not same:
        log.info("%s: unfinished work of other settings, data or code is removed", unfinished)
    # The result is missing if the call was killed after it had moved it into place.
    return same and (unfinished / "result").is_dir()


def move(temporary: Path, path: Path) -> None:
    """Put a file or folder in the place of another."""
    if path.is_dir():
        shutil.rmtree(path)
    os.replace(temporary, path)


@contextmanager
def naming_full_disk(path: Path) -> Iterator[None]:
    """Turn errors of a full disk into the one line that names what was to be written."""
    try:
        yield
    except Exception as error:
        if of_full_disk(error):
            raise NoSpaceError(path) from error
        raise


def flush(folder: Path) -> None:
    """Have the system write all files of a folder to its disk, so that they outlive even a crash of the machine."""
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb") as file:
                os.fsync(file.fileno())


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a frame as CSV or Parquet, by the file's ending, whole or not at all."""
    with written_whole(path) as temporary:
        if Path(path).suffix == ".parquet":
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, index=False, lineterminator="\n")


def write_text(text: str, path: Path) -> None:
    """Write text as UTF-8, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write a dictionary as readable JSON, whole or not at all."""
    write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", path)


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum_of_files(folder: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the names below a folder and the checksums of some of its files, whatever their order."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(folder).as_posix()} {checksum(path)}\n".encode())
    return digest.hexdigest()


def provenance(**facts: Any) -> dict[str, Any]:
    """What made a result: the given facts, the commit, versions and machine type.

    No times, so that the same commit and input give the same bytes.
    """
    return {
        **facts,
        "commit": commit(),
        "python": platform.python_version(),
        "packages": {name: version for name in PACKAGES if (version := installed_version(name))},
        "machine": f"{platform.system()} {platform.machine()}",
    }


def identity(script: str, **facts: Any) -> dict[str, Any]:
    """Everything that decides what a script makes: given facts, versions, the code that is loaded, committed or not."""
    library = {name: module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "selfembed"}
    code = {name: checksum(file) for name, file in sorted(library.items()) if file} | {"script": checksum(script)}
    everything = provenance(**facts)
    del everything["commit"]
    return everything | {"code": code}


def commit() -> str | None:
    """Git commit of this code, with `+` appended if files differ from it; None outside a repository."""
    command = [
        "git",
        "-C",
        str(Path(__file__).parent),
        "describe",
        "--always",
        "--abbrev=40",
        "--exclude=*",
        "--dirty=+",
    ]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
