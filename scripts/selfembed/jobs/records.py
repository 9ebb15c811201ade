"""Provenance, checksums, and writing that leaves no half files."""

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from selfembed.errors import InputError, first_line
from selfembed.jobs import seals
from selfembed.jobs.packages import installed_version
from selfembed.jobs.seals import checksum

# The packages whose versions can change a number.
PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "sentence-transformers",
    "mteb",
    "numpy",
    "scipy",
    "scikit-learn",
    "opentsne",
    "pandas",
    "matplotlib",
)

# Parts of the library that decide no result by themselves: no step runs them, or their values reach it as arguments.
APART = {"settings", "study", "workflow", "proposals", "provenance", "cli.py", "__main__.py"}
PAGE_PARTS = {".html", ".css", ".js"}

# Hidden folders beside a result that hold it until it is whole: what is written in one is sealed with the result.
PARTIAL, UNFINISHED = ".partial", ".unfinished"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path` (a file or a folder to be) that replaces it only when the block succeeds.

    What replaces it is sealed.

    Raises InputError if a folder lies there that no step wrote.
    """
    path = Path(path)
    check_replaceable(path)
    shelter = path.with_name(f".{path.name}{PARTIAL}")
    shutil.rmtree(shelter, ignore_errors=True)  # of a call that was killed
    shelter.mkdir(parents=True)
    try:
        yield shelter / path.name
        move(shelter / path.name, path)
    finally:
        shutil.rmtree(shelter, ignore_errors=True)


@contextmanager
def resumable(path: Path, identity: dict[str, Any], writes: bool = True) -> Iterator[Path]:
    """Yield a folder beside `path` that outlives a job that is killed; its `result` replaces `path` at the end, sealed.

    Snakemake deletes the outputs of a failed job, not this folder. What an earlier job left in it is there again, if
    `identity`, everything that decides the result, is the same; otherwise it is thrown away. Of several processes
    that work together, one `writes`; the others only learn where the folder is.

    Raises InputError if a folder lies at `path` that no step wrote.
    """
    path = Path(path)
    folder = path.with_name(f".{path.name}{UNFINISHED}")
    if not writes:
        yield folder
        return
    check_replaceable(path)
    identity = json.loads(json.dumps(identity))
    known = folder / "identity.json"
    if not is_of(known, identity):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        write_json(identity, known)
    try:
        yield folder
        move(folder / "result", path)
        shutil.rmtree(folder)
    finally:
        if [item for item in folder.rglob("*") if item.is_file()] == [known]:
            shutil.rmtree(folder)


def is_of(known: Path, identity: dict[str, Any]) -> bool:
    """Whether unfinished work is of some identity; work whose identity cannot be read is of none."""
    try:
        return known.is_file() and read_json(known) == identity
    except InputError:
        return False


def is_part(path: Path) -> bool:
    """Whether a path lies in a folder that holds a result until it is whole."""
    hidden = (folder.name for folder in path.parents if folder.name.startswith("."))
    return any(name.endswith((PARTIAL, UNFINISHED)) for name in hidden)


def check_replaceable(path: Path) -> None:
    """Raise InputError if a folder lies at a path that no step wrote."""
    if path.is_dir() and any(path.iterdir()) and not seals.place(path).is_file() and not is_part(path):
        raise InputError(f"{path}: the folder was not written by a step and is not replaced; expected: another output")


def move(temporary: Path, path: Path) -> None:
    """Put a file or folder in the place of another, with a seal that says what made it."""
    seal = None
    if not is_part(path):
        seal = seals.write(temporary, path.name, made_by())
        # In this order a call that is killed in between leaves no seal that does not fit.
        seals.place(path).unlink(missing_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    os.replace(temporary, path)
    if seal:
        os.replace(seal, seals.place(path))


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


def read_json(path: Path, *keys: str) -> dict[str, Any]:
    """Read a JSON file that a step wrote, which has some keys.

    Raises InputError if it is none.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if isinstance(content, dict) and set(keys) <= set(content):
            return content
        problem = f"expected: a group with {', '.join(keys) or 'keys'}"
    except (ValueError, RecursionError, OSError) as error:
        problem = first_line(error)
    raise InputError(f"{path}: damaged: {problem}; delete the result that it belongs to and run snakemake again")


def checksum_of_files(folder: Path, files: Iterable[Path]) -> str:
    """SHA-256 over the names below a folder and the checksums of some of its files, whatever their order."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(folder).as_posix()} {checksum(path)}\n".encode())
    return digest.hexdigest()


@cache
def code_checksum() -> str:
    """SHA-256 over what steps run: a job that goes on must be of the same code as the one that began."""
    return checksum_of_files(Path(__file__).parents[2], code_of_steps())


def code_of_steps() -> list[Path]:
    """The scripts and their library, pages and styles included, but not what is APART."""
    folder = Path(__file__).parents[2]
    files = (path for path in folder.rglob("*.*") if path.suffix in PAGE_PARTS | {".py"})
    return [path for path in files if not APART & set(path.relative_to(folder).parts)]


def made_by() -> dict[str, Any]:
    """What this process makes results by: its command, what it was given, its code, versions and machine."""
    command = {"script": Path(sys.argv[0]).name, "arguments": sys.argv[1:], "inputs": seals.given}
    return provenance(**command, code=code_checksum()) | {"machine": machine()}


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


@cache
def machine() -> str:
    """System, processor and, where this process uses one, GPU."""
    words = [f"{platform.system()} {platform.machine()}"]
    about = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.*)$", about.read_text(), re.MULTILINE) if about.is_file() else []
    words += names[:1]
    torch = sys.modules.get("torch")
    if torch and torch.cuda.is_initialized():
        words.append(torch.cuda.get_device_name())
    return ", ".join(words)


@cache
def commit() -> str | None:
    """Git commit of this code, with `+` appended if files differ from it; None outside a repository."""
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
    try:
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
        return found.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
