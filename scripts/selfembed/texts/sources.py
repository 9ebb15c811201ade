"""Detection of format, encoding, separator and columns of an input file, folder or data set."""

import codecs
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from charset_normalizer import from_bytes

from selfembed.errors import InputError
from selfembed.texts import cells, columns, corpora, text_files
from selfembed.texts.file_formats import FORMATS, format_of

MARKS = {  # UTF-32 first: its mark starts with that of UTF-16
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WESTERN = "cp1252"  # of Western spreadsheets
# Encodings that are still in use, for charset-normalizer, which otherwise finds rare relatives of them.
LEGACY = (
    *("cp932", "gb18030", "big5", "cp949", "euc_jp", "cp1251", "koi8_r", "cp1250", "cp1252", "cp1253", "cp1254"),
    *("cp1255", "cp1256", "cp874"),
)
WHOLE = 9  # characters of UTF-8 for each that is not, in a damaged file of UTF-8
LONG_RUNS = 1.8  # bytes; in Western texts, letters that are not ASCII stand alone

Found = tuple[dict[str, Any], pd.DataFrame, list[str]]


class ColumnNames(NamedTuple):
    """Names of columns; those of texts and titles are detected if they are missing.

    Attributes:
        group: column that says which texts belong together.
    """

    text: str | None = None
    label: str | None = None
    title: str | None = None
    group: str | None = None


DETECTED = ColumnNames()


def look_at(path: Path, names: ColumnNames = DETECTED, encoding: str | None = None) -> Found:
    """Detect the settings of a source and read it.

    Args:
        encoding: encoding of files that are not UTF-8; guessed by default.

    Returns the settings of the source, the raw texts (`id`, `text`, `label`, `title`; `group` if it is given), and
    notes for the user.

    Raises InputError if the source cannot be read or the column of texts is ambiguous.
    """
    if not path.exists():
        raise InputError(f"{path}: does not exist; expected: a {', '.join(FORMATS)} file, or a folder of text files")
    if path.is_dir():
        return look_at_folder(path, names, encoding)
    notes: list[str] = []
    format = format_of(path)
    settings, raw = read_file(path, format, encoding, notes)
    has_header = format in ("csv", "tsv", "xlsx")
    named, table = look_at_columns(raw, path, names, notes, check_header=has_header)
    colors = columns.could_be_colors(raw, set(named.values()))
    if colors:
        notes.append(f"the map can also be coloured by: {', '.join(colors)}")
    source = {"type": "file", "path": str(path)} | settings | named
    return source | ({"colors": colors} if colors else {}), table, notes


def read_file(
    path: Path, format: str | None, encoding: str | None, notes: list[str]
) -> tuple[dict[str, str], pd.DataFrame]:
    """Detect encoding and separator of a file, and read it.

    Returns the settings of the source that differ from the defaults, and the table.
    """
    settings: dict[str, str] = {}
    if format in ("csv", "tsv", "jsonl", "json"):
        settings |= encoding_setting([path], encoding, notes)
    if format == "csv":
        settings |= separator_setting(path, settings.get("encoding"), notes)
    return settings, corpora.read_file(path, **{"format": format} | settings)


def look_at_columns(
    raw: pd.DataFrame, path: Path | str, names: ColumnNames, notes: list[str], check_header: bool = False
) -> tuple[dict[str, str], pd.DataFrame]:
    """Detect columns of a table, and add notes on them.

    Args:
        path: name of the table in messages.
        check_header: whether the table may lack a header.

    Returns the settings of the columns, and the raw texts.

    Raises InputError if there are no rows, a column does not exist, or the column of texts is ambiguous.
    """
    if raw.empty:
        raise InputError(f"{path}: no rows; expected: one text per row")
    text = names.text or columns.find_text(raw, path)
    if names.text is None and check_header:
        columns.check_header(raw, text, path)
    found = names._replace(text=text, title=names.title or columns.find_title(raw, text))
    named = {key: column for key, column in found._asdict().items() if column}
    table = corpora.columns_of(raw, path, {"id": None, "label": None, "title": None} | named)
    notes += [f"texts are in column '{text}'"] if names.text is None else []
    notes += [f"titles are in column '{found.title}'"] if found.title else []
    could_be = [column for column in columns.could_be_labels(raw, text) if column not in (found.title, found.group)]
    if found.label is None and could_be:
        notes.append(f"could be labels: {', '.join(could_be)}; with LABEL={could_be[0]}, accuracies are computed, too")
    return named, table


def look_at_folder(path: Path, names: ColumnNames, encoding: str | None) -> Found:
    """Do the same for a folder of .txt files or, if it has none, of .md files.

    It has no columns, but its subfolders can be classes.
    """
    if names.text or names.title or names.group or names.label not in (None, "folder"):
        raise InputError(
            f"{path}: a folder of text files has no columns; expected: LABEL=folder, which uses subfolders as classes"
        )
    source: dict[str, Any] = {"type": "folder", "path": str(path)}
    files = {extension: text_files.files_in(path, extension) for extension in ("txt", "md")}
    extension = "txt" if files["txt"] or not files["md"] else "md"
    notes: list[str] = []
    if extension == "md":
        source["extension"] = extension
    elif files["md"]:
        notes.append(f"{len(files['md'])} .md files are not read, because there are .txt files")
    source |= encoding_setting(files[extension], encoding, notes)
    raw = text_files.read_folder(path, extension, source.get("encoding"))
    if names.label:
        source["label"] = names.label
    elif columns.could_be_labels(raw, "text"):
        notes.append("subfolders could be classes; with LABEL=folder, accuracies are computed, too")
    return source, raw.assign(id=None, label=raw["folder"] if names.label else None), notes


def encoding_setting(paths: Iterable[Path], encoding: str | None, notes: list[str]) -> dict[str, str]:
    """Return the encoding of files that are not UTF-8: the given one, or a guess, which is added to the notes.

    Raises InputError if a file cannot be decompressed, or if some files are UTF-16 or UTF-32 and others are not.
    """
    others = {}
    for path in paths:
        try:
            content = text_files.read_bytes(path)
        except OSError as error:
            raise cells.unreadable(path, "text", error) from error
        if not (text_files.is_utf_8(content) or text_files.other_format(content)):
            others[path] = content
    if others and encoding is None:
        path, *_ = others
        wide = {other: wide_encoding(content) for other, content in others.items()}
        for other, content in others.items():
            if wide[other] is None:
                check_not_damaged(other, content)
        if differs := next((other for other in wide if wide[other] != wide[path]), None):
            raise InputError(
                f"{differs}: its encoding seems to be {wide[differs] or 'another'}, that of {path} is "
                f"{wide[path] or 'another'}; expected: UTF-8, or one other encoding in all files"
            )
        encoding = wide[path] or legacy_encoding(b"\n".join(others.values()))
        notes.append(
            f"{path} is not UTF-8; assumed encoding: {encoding}; if special characters look wrong, set ENCODING=…"
        )
    return {"encoding": encoding} if others and encoding else {}


def check_not_damaged(path: Path, content: bytes) -> None:
    """Raise InputError if nearly all characters that are not ASCII are UTF-8, with the first line that is not."""
    decoded = content.decode("utf-8", errors="replace")
    damaged = decoded.count("\ufffd")
    whole = sum(not character.isascii() for character in decoded) - damaged
    if damaged and whole >= WHOLE * damaged:
        line = decoded[: decoded.index("\ufffd")].count("\n") + 1
        raise InputError(
            f"{path}: line {line} is not UTF-8, but the rest is; expected: one encoding in the whole file, or "
            "ENCODING=… to read it in another one"
        )


def wide_encoding(content: bytes) -> str | None:
    """Return the encoding of UTF-16 or UTF-32, by its byte-order mark or its NUL bytes; None for other content."""
    marked = next((name for mark, name in MARKS.items() if content.startswith(mark)), None)
    return marked or (text_files.wide_encoding(content) if b"\0" in content else None)


def legacy_encoding(content: bytes) -> str:
    """Guess an encoding of one or two bytes per character by the lines that are not ASCII.

    If letters that are not ASCII stand alone, as in Western languages, the guess is cp1252, which Western spreadsheets
    write, unless charset-normalizer finds that it does not fit. Otherwise, the guess is that of charset-normalizer.
    """
    lines = b"\n".join(line for line in content.split(b"\n") if not line.isascii())[: text_files.LOOKED_AT]
    runs = re.findall(rb"[\x80-\xff]+", lines)
    matches = from_bytes(lines, cp_isolation=list(LEGACY))
    names = [name for match in matches for name in (match.encoding, *match.could_be_from_charset)]
    if sum(map(len, runs)) < LONG_RUNS * len(runs):
        names = [WESTERN] if WESTERN in names or not set(names) & {"cp1250", "cp1254"} else names
    return next((name for name in names if text_files.can_be(content, name)), WESTERN)


def separator_setting(path: Path, encoding: str | None, notes: list[str]) -> dict[str, str]:
    """Return the settings of a csv file that is not separated by commas, and add a note if it has one column."""
    try:
        text = text_files.read_text(path, encoding)
    except (UnicodeError, LookupError):  # reported when the whole file is read
        return {}
    found = "," if cells.DIRECTIVE.match(text) else cells.find_separator(text)
    if found != "," and found not in text.lstrip().split("\n", 1)[0]:
        notes.append("the header has one column, so commas do not separate cells; each line is one text")
    return {"\t": {"format": "tsv"}, ",": {}}.get(found, {"separator": found})
