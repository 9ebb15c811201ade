"""Compression and encodings of text files, and folders of text files."""

import os
import re
import unicodedata
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from selfembed.errors import InputError, reword_errors
from selfembed.jobs.command_line import log
from selfembed.texts.file_formats import COMPRESSIONS, other_format

if TYPE_CHECKING:  # planning needs no more packages than Snakemake does
    import pandas as pd

WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
LOOKED_AT = 2**18  # bytes by which an encoding is guessed
SHARE_OF_NULS = 0.4  # UTF-16 and UTF-32 of ASCII characters have 0.5 and more


def read_text(path: Path, encoding: str | None = None) -> str:
    """Read a text file, which can be compressed with gzip or zstd.

    Args:
        encoding: encoding of a file that is not UTF-8.

    Returns the text without a byte-order mark and without NUL characters at the end. Line ends are not changed.

    Raises InputError if the file is of another format or contains NUL characters, UnicodeError if it cannot be decoded.
    """
    content = read_bytes(path)
    if kind := other_format(content):
        raise InputError(f"{path}: is {kind}")
    is_other = encoding is not None and not is_utf_8(content)
    whole = content.decode(encoding if is_other else "utf-8-sig").removeprefix("\ufeff")
    text = whole.rstrip("\0")
    if len(text) < len(whole):
        log.warning("%s: ends with %d NUL characters, which are ignored", path, len(whole) - len(text))
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        wide = wide_encoding(content)
        hint = f"its encoding seems to be {wide}" if wide else "the file may be damaged"
        raise InputError(f"{path}: line {line} contains a NUL character; expected: text without them; {hint}")
    return text


def read_bytes(path: Path) -> bytes:
    """Return the content of a file, decompressed if it is a gzip or zstd file."""
    import pyarrow

    with open(path, "rb") as file:
        start = file.read(4)
    compression = next((name for mark, name in COMPRESSIONS.items() if start.startswith(mark)), None)
    with pyarrow.input_stream(str(path), compression=compression) as stream:
        return stream.read()


def is_utf_8(content: bytes) -> bool:
    """Return whether the content is valid UTF-8 without NUL characters; those at the end do not count."""
    return can_be(content, "utf-8") and b"\0" not in content.rstrip(b"\0")


def wide_encoding(content: bytes) -> str | None:
    """Return the encoding of UTF-16 or UTF-32 without a byte-order mark; None if the content is neither.

    Of the encodings in which all characters are assigned and none is a control character, it is the one with the most
    ASCII characters: every text has spaces, line ends or digits.
    """
    sample = content[:LOOKED_AT]
    if can_be(content, "utf-8"):
        controls = sum(count for byte, count in Counter(sample).items() if byte < 32 and byte not in b"\0\t\n\r")
        if not controls and sample.count(0) < SHARE_OF_NULS * len(sample):
            return None
    found = {}
    for name in WIDE:
        if can_be(content, name):
            characters = Counter(sample.decode(name, errors="ignore"))
            if not any(is_odd(character) for character in characters):
                found[name] = sum(count for character, count in characters.items() if character.isascii())
    return max(found, key=found.__getitem__, default=None)


def is_odd(character: str) -> bool:
    """Return whether a character is unassigned, private, or a control character that no text contains."""
    return character not in "\t\n\r" and unicodedata.category(character) in ("Cc", "Cn", "Co", "Cs")


def can_be(content: bytes, encoding: str) -> bool:
    """Return whether the content is valid in an encoding."""
    try:
        content.decode(encoding)
    except UnicodeError:
        return False
    return True


def files_in(folder: Path, extension: str) -> list[Path]:
    """Return the files with an extension in a folder and its subfolders, sorted, without hidden files and folders."""
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [
            Path(where, name) for name in names if name.lower().endswith(f".{extension}") and not name.startswith(".")
        ]
    return sorted(found)


def state(folder: Path, extension: str) -> str:
    """Return a string that changes if files are added, removed or written: number, size and latest time."""
    stats = [path.stat() for path in files_in(folder, extension)]
    latest = max((found.st_mtime_ns for found in stats), default=0)
    return f"{len(stats)} files, {sum(found.st_size for found in stats)} bytes, {latest}"


def read_folder(folder: Path, extension: str, encoding: str | None = None) -> "pd.DataFrame":
    """Read every file with an extension in a folder and its subfolders as one text.

    Args:
        encoding: encoding of files that are not UTF-8.

    Returns a frame of strings: `title` (relative path without the extension), `folder` (top-level subfolder; missing
    for files directly in the folder), `text`.

    Raises InputError if there is no such file, or if one cannot be read.
    """
    import pandas as pd

    paths = files_in(folder, extension)
    if not paths:
        raise InputError(f"{folder}: no .{extension} file in this folder; expected: one for each text")
    rows = []
    for path in paths:
        kinds = (UnicodeError, LookupError, OSError)
        with reword_errors(f"{path}: cannot be read", kinds, expected="UTF-8, or its encoding"):
            text = re.sub(r"\r\n?", "\n", read_text(path, encoding))
        inside = path.relative_to(folder)
        group = inside.parts[0] if len(inside.parts) > 1 else None
        rows.append((readable(inside.with_suffix("").as_posix()), group and readable(group), text))
    return pd.DataFrame(rows, columns=["title", "folder", "text"], dtype=object)


def readable(name: str) -> str:
    """Return a file name as text; bytes that are not UTF-8 become question marks."""
    return name.encode("utf-8", errors="replace").decode("utf-8")
