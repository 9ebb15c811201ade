"""Provenance, checksums, and atomic writing of files and folders."""

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
from typing import TYPE_CHECKING, Any

from selfembed.errors import InputError, first_line
from selfembed.jobs import seals
from selfembed.jobs.packages import installed_version
from selfembed.jobs.seals import checksum

if TYPE_CHECKING:  # planning needs no more packages than Snakemake does
    import pandas as pd

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

# Folders and files that are not code inputs of steps: steps do not run them or receive their values as arguments.
APART = {
    *("settings", "study", "costs", "workflow", "doctor", "judging", "proposals", "provenance"),
    "warm",
    *("cli.py", "__main__.py"),
}
PAGE_PARTS = {".html", ".css", ".js"}

# Suffixes of hidden folders for incomplete results, next to the result. Files in them get no seals of their own.
PARTIAL, UNFINISHED = ".partial", ".unfinished"


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary path for a file or folder that is sealed and replaces `path` only if the block succeeds.

    Raises InputError if `path` is a folder that was not written by a step.
    """
    path = Path(path)
    check_replaceable(path)
    shelter = path.with_name(f".{path.name}{PARTIAL}")
    shutil.rmtree(shelter, ignore_errors=True)  # left by a killed job
    shelter.mkdir(parents=True)
    try:
        yield shelter / path.name
        move(shelter / path.name, path)
    finally:
        shutil.rmtree(shelter, ignore_errors=True)


@contextmanager
def resumable(path: Path, identity: dict[str, Any], writes: bool = True) -> Iterator[Path]:
    """Yield a folder next to `path` that is kept if the job fails; then its `result` is sealed and moved to `path`.

    Snakemake deletes the outputs of a failed job, but not this folder.

    Args:
        identity: everything that determines the result. The contents of a folder with another identity are deleted.
        writes: whether this process writes the result; False for all but one of several processes of a step.

    Raises InputError if `path` is a folder that was not written by a step.
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
    """Return whether the identity file of an incomplete result can be read and is equal to `identity`."""
    try:
        return known.is_file() and read_json(known) == identity
    except InputError:
        return False


def is_part(path: Path) -> bool:
    """Return whether a path is inside a folder for an incomplete result."""
    hidden = (folder.name for folder in path.parents if folder.name.startswith("."))
    return any(name.endswith((PARTIAL, UNFINISHED)) for name in hidden)


def check_replaceable(path: Path) -> None:
    """Raise InputError if a path is a folder that was not written by a step."""
    if path.is_dir() and any(path.iterdir()) and not seals.place(path).is_file() and not is_part(path):
        raise InputError(f"{path}: the folder was not written by a step and is not replaced; expected: another output")


def move(temporary: Path, path: Path) -> None:
    """Replace a file or folder by another one, and seal it."""
    seal = None
    if not is_part(path):
        seal = seals.write(temporary, path.name, made_by())
        # The old seal is removed first, so that a job killed here does not leave a seal that does not match.
        seals.place(path).unlink(missing_ok=True)
    if path.is_dir():
        shutil.rmtree(path)
    os.replace(temporary, path)
    if seal:
        os.replace(seal, seals.place(path))


def write_table(table: "pd.DataFrame", path: Path) -> None:
    """Write a frame atomically as CSV or Parquet, depending on the file extension."""
    with written_whole(path) as temporary:
        if Path(path).suffix == ".parquet":
            table.to_parquet(temporary, index=False)
        else:
            table.to_csv(temporary, index=False, lineterminator="\n")


def write_text(text: str, path: Path) -> None:
    """Write text atomically as UTF-8."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(content: dict[str, Any], path: Path) -> None:
    """Write a dictionary atomically as indented JSON."""
    write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", path)


def read_json(path: Path, *keys: str) -> dict[str, Any]:
    """Read a JSON file that a step wrote.

    Raises InputError if it is not a JSON object with the given keys.
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
    """Return the SHA-256 of the relative paths and checksums of files in a folder, independent of their order."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(folder).as_posix()} {checksum(path)}\n".encode())
    return digest.hexdigest()


@cache
def code_checksum() -> str:
    """Return the SHA-256 of the code of steps; a job is resumed only with the same code."""
    return checksum_of_files(Path(__file__).parents[2], code_of_steps())


def code_of_steps() -> list[Path]:
    """Return the files of scripts and library, including HTML, CSS and JavaScript, except those in APART."""
    folder = Path(__file__).parents[2]
    files = (path for path in folder.rglob("*.*") if path.suffix in PAGE_PARTS | {".py"})
    return [path for path in files if not APART & set(path.relative_to(folder).parts)]


def made_by() -> dict[str, Any]:
    """Return the provenance of results of this process: command, inputs, code, versions and machine."""
    arguments = [without_copies(word) for word in sys.argv[1:]]
    inputs = {without_copies(path): sha256 for path, sha256 in seals.given.items()}
    command = {"script": Path(sys.argv[0]).name, "arguments": arguments, "inputs": inputs}
    return provenance(**command, code=code_checksum()) | {"machine": machine()}


def without_copies(path: str) -> str:
    """Return the path of a result without the folder in which Snakemake keeps local copies of a storage."""
    copies = os.environ.get("SELFEMBED_LOCAL_COPIES")
    return path.removeprefix(f"{copies}/") if copies else path


def provenance(**facts: Any) -> dict[str, Any]:
    """Return a provenance record: the given facts, commit, versions and machine type.

    It contains no times, so that the same commit and inputs give the same bytes.
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
    """Return operating system, processor and, if this process uses one, GPU."""
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
    """Return the Git commit of the code, with `+` if the work tree differs from it; None outside a repository."""
    command = ["git", "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=+"]
    try:
        found = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
        return found.stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
