"""Tables of questions as people get them back from spreadsheets, and where their key is."""

import hashlib
import re
from pathlib import Path

from selfembed.errors import InputError
from selfembed.texts import sources

COLUMNS = ("number", "text", "a", "b", "closer")
ENDING = "_questions"
FORMULA = ("=", "+", "-", "@")  # what a spreadsheet would compute


def cell(text: str, longest: int) -> str:
    """Shorten a text to a number of characters; an apostrophe precedes what spreadsheets take for a formula."""
    shown = text if len(text) <= longest else f"{text[:longest].rstrip()} …"
    return f"'{shown}" if shown.startswith(FORMULA) else shown


def key_path(questions: Path) -> Path:
    """Return the path of the key, beside the questions."""
    return questions.with_name(f"{questions.stem.removesuffix(ENDING)}_key.json")


def checksum(row: dict[str, str]) -> str:
    """Return the SHA-256 of the number and texts of a question.

    Only ASCII letters and digits count: spreadsheets change encodings, quotes and spaces.
    """
    shown = "\n".join(re.sub("[^0-9A-Za-z]", "", row[name]) for name in COLUMNS[:-1])
    return hashlib.sha256(shown.encode()).hexdigest()


def read(path: Path) -> dict[int, tuple[str, str]]:
    """Read a table of questions in any dialect of csv.

    Returns the answer (`a`, `b`, or nothing if the question was skipped) and the checksum of every question by its
    number.

    Raises InputError if the file cannot be read, or with the row that is invalid. The header is row 1.
    """
    if not path.is_file():
        raise InputError(f"{path}: does not exist; expected: questions that `selfembed ask` wrote")
    _, table = sources.read_file(path, "csv", None, [])
    lacking = [name for name in COLUMNS if name not in table.columns]
    if lacking:
        raise InputError(f"{path}: no column '{lacking[0]}'; expected: {', '.join(COLUMNS)}")
    found: dict[int, tuple[str, str]] = {}
    for place, row in enumerate(table[list(COLUMNS)].fillna("").to_dict("records"), start=2):
        if not any(row.values()):
            continue
        number, answer = row["number"].strip(), row["closer"].strip().lower()
        if not re.fullmatch(r"[0-9]{1,9}", number) or int(number) in found:
            raise InputError(f"{path}: row {place}: number '{number}' is invalid; expected: each number once")
        if answer not in ("", "a", "b"):
            raise InputError(f"{path}: row {place}: closer '{row['closer']}' is invalid; expected: a, b or nothing")
        found[int(number)] = answer, checksum(row)
    return found
