"""Checksums of files: SHA-256 and git blob ids."""

import hashlib
from pathlib import Path

from selfembed.errors import InputError
from selfembed.jobs.records import checksum


def git_blob(path: Path) -> str:
    """Git blob id of a file: SHA-1 of `blob {size}`, a zero byte and the content; 40 hexadecimal digits."""
    header = f"blob {path.stat().st_size}\0".encode()
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.sha1(header)).hexdigest()


def check_file(path: Path, expected: str, name: str) -> None:
    """Compare a file with a SHA-256 (64 digits) or git blob id (40 digits); delete it if they differ.

    Raises InputError with `name`, the checksum found and the checksum expected.
    """
    kind, found = ("SHA-256", checksum(path)) if len(expected) == 64 else ("git blob id", git_blob(path))
    if found != expected:
        path.unlink()
        raise InputError(f"{name}: {kind} is {found}, expected {expected}; not kept (was the download complete?)")
