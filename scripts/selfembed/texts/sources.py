"""Detection of format, encoding, separator and columns of an input file or folder."""

from pathlib import Path
from typing import Any

import pandas as pd

from selfembed.errors import InputError
from selfembed.texts import columns, corpora, text_files
from selfembed.texts.file_formats import FORMATS

Found = tuple[dict[str, Any], pd.DataFrame, list[str]]


def look_at(
    path: Path,
    text: str | None = None,
    label: str | None = None,
    title: str | None = None,
    encoding: str | None = None,
    fewest: int = 10,
) -> Found:
    """Detect the settings of a source and read it.

    Args:
        text, label, title: column names; columns of texts and titles are detected by default.
        encoding: encoding of files that are not UTF-8; guessed by default.
        fewest: minimum number of rows per class in a column suggested as labels.

    Returns the settings of the source, the raw texts (`id`, `text`, `label`, `title`), and notes for the user.

    Raises InputError if the source cannot be read or the column of texts is ambiguous.
    """
    if not path.exists():
        raise InputError(f"{path}: does not exist; expected: a {', '.join(FORMATS)} file, or a folder of .txt files")
    if path.is_dir():
        return look_at_folder(path, text, label, title, encoding, fewest)
    source: dict[str, Any] = {"type": "file", "path": str(path)}
    format = FORMATS.get(path.suffix.lower())
    notes: list[str] = []
    if format in ("csv", "tsv", "jsonl"):
        source |= encoding_setting([path], encoding, notes)
    if format == "csv":
        source |= separator_setting(path, source.get("encoding"))
    raw = corpora.read_file(path, source.get("format"), source.get("encoding"), source.get("separator"))
    if raw.empty:
        raise InputError(f"{path}: no rows; expected: one text per row")
    source["text"] = text or columns.find_text(raw, path)
    title = title or columns.find_title(raw, source["text"])
    named = {key: column for key, column in (("label", label), ("title", title)) if column}
    table = corpora.columns_of(raw, path, {"id": None, "label": None, "title": None, "text": source["text"]} | named)
    notes += [f"texts are in column '{source['text']}'"] if text is None else []
    notes += [f"titles are in column '{title}'"] if title else []
    could_be = [column for column in columns.could_be_labels(raw, source["text"], fewest) if column != title]
    if label is None and could_be:
        notes.append(f"could be labels: {', '.join(could_be)}; with LABEL={could_be[0]}, accuracies are computed, too")
    return source | named, table, notes


def look_at_folder(
    path: Path, text: str | None, label: str | None, title: str | None, encoding: str | None, fewest: int
) -> Found:
    """Do the same for a folder of .txt files. It has no columns, but its subfolders can be classes."""
    if text or title or label not in (None, "folder"):
        raise InputError(
            f"{path}: a folder of .txt files has no columns; expected: LABEL=folder, which uses subfolders as classes"
        )
    source: dict[str, Any] = {"type": "folder", "path": str(path)}
    notes: list[str] = []
    source |= encoding_setting(text_files.txt_files(path), encoding, notes)
    raw = text_files.read_folder(path, source.get("encoding"))
    if label:
        source["label"] = label
    elif columns.could_be_labels(raw, "text", fewest):
        notes.append("subfolders could be classes; with LABEL=folder, accuracies are computed, too")
    return source, raw.assign(id=None, label=raw["folder"] if label else None), notes


def encoding_setting(paths: list[Path], encoding: str | None, notes: list[str]) -> dict[str, str]:
    """Return the encoding of files that are not UTF-8: the given one, or a guess, which is added to the notes."""
    others = [path for path in paths if not text_files.is_utf_8(path)]
    if not others:
        return {}
    if encoding is None:
        encoding = text_files.guessed_encoding(others[0])
        notes.append(
            f"{others[0]} is not UTF-8; assumed encoding: {encoding}; if special characters look wrong, set ENCODING=…"
        )
    return {"encoding": encoding}


def separator_setting(path: Path, encoding: str | None) -> dict[str, str]:
    """Return the settings of a csv file whose header has another separator more often than commas."""
    try:
        with open(path, encoding=text_files.encoding_of(path, encoding)) as file:
            outside_quotes = "".join(file.readline().split('"')[::2])
    except (UnicodeError, LookupError):  # reported when the whole file is read
        return {}
    most = max(",;|\t", key=outside_quotes.count)
    if outside_quotes.count(most) <= outside_quotes.count(","):
        return {}
    return {"format": "tsv"} if most == "\t" else {"separator": most}
