"""Encodings of text files, and folders of .txt files."""

import codecs
import os
from pathlib import Path

import pandas as pd

from selfembed.errors import InputError, first_line

UTF_8 = "utf-8-sig"  # with or without a byte-order mark
BLOCK = 2**20  # characters per read


def encoding_of(path: Path, other: str | None = None) -> str:
    """Return UTF-8 if the file is valid UTF-8 or `other` is None, else `other`."""
    return UTF_8 if other is None or is_utf_8(path) else other


def is_utf_8(path: Path) -> bool:
    """Return whether a file is valid UTF-8."""
    try:
        with open(path, encoding="utf-8") as file:
            while file.read(BLOCK):
                pass
    except UnicodeDecodeError:
        return False
    return True


def guessed_encoding(path: Path) -> str:
    """Guess the encoding of a file that is not UTF-8.

    UTF-16 is recognised by its byte-order mark. Otherwise the guess is cp1252, which Western spreadsheets write.
    """
    with open(path, "rb") as file:
        start = file.read(2)
    return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "cp1252"


def txt_files(folder: Path) -> list[Path]:
    """Return the .txt files in a folder and its subfolders, sorted, without hidden files and folders."""
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(where, name) for name in names if name.lower().endswith(".txt") and not name.startswith(".")]
    return sorted(found)


def state(folder: Path) -> str:
    """Return a string that changes if .txt files are added, removed or written: number, size and latest time."""
    stats = [path.stat() for path in txt_files(folder)]
    latest = max((found.st_mtime_ns for found in stats), default=0)
    return f"{len(stats)} files, {sum(found.st_size for found in stats)} bytes, {latest}"


def read_folder(folder: Path, encoding: str | None = None) -> pd.DataFrame:
    """Read every .txt file in a folder and its subfolders as one text.

    Args:
        encoding: encoding of files that are not UTF-8.

    Returns a frame of strings: `title` (relative path without the extension), `folder` (top-level subfolder; missing
    for files directly in the folder), `text`.

    Raises InputError if there is no .txt file, or if one cannot be read.
    """
    paths = txt_files(folder)
    if not paths:
        raise InputError(f"{folder}: no .txt file in this folder; expected: one for each text")
    rows = []
    for path in paths:
        try:
            text = path.read_text(encoding=encoding_of(path, encoding))
        except (UnicodeError, LookupError, OSError) as error:
            raise InputError(
                f"{path}: cannot be read: {first_line(error)}; expected: UTF-8, or its encoding"
            ) from error
        inside = path.relative_to(folder)
        group = inside.parts[0] if len(inside.parts) > 1 else None
        rows.append((readable(inside.with_suffix("").as_posix()), group and readable(group), text))
    return pd.DataFrame(rows, columns=["title", "folder", "text"], dtype=object)


def readable(name: str) -> str:
    """Return a file name as text; bytes that are not UTF-8 become question marks."""
    return name.encode("utf-8", errors="replace").decode("utf-8")
