"""Reading of csv, tsv, json and xlsx files as tables."""

import csv
import io
import json
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.errors import ParserWarning

from selfembed.errors import InputError, first_line
from selfembed.jobs.command_line import log
from selfembed.texts.text_files import read_text

SEPARATORS = ",;|\t"
DIRECTIVE = re.compile(r'"?sep=(.)"?\r?\n')  # first line of csv files for Excel
LOOKED_AT = 1000  # rows by which a separator is chosen
FEWEST_ROWS = 10  # minimum number of rows by which a header is found to be incomplete
MOST = 0.9  # minimum fraction of rows with the same number of cells
ROWS_IN_A_CELL = 10  # minimum number of line breaks in a cell whose lines are rows if each of them looks like one
EMPTY_CELLS = {"keep_default_na": False, "na_values": [""]}
BREAK = re.compile(r"\r\n|\r|\n")
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # half of a character that is written as two

csv.field_size_limit(2**31 - 1)


def read(path: Path, separator: str | None = None, encoding: str | None = None) -> pd.DataFrame:
    """Read a csv or tsv file as text; only empty cells are missing values.

    Args:
        separator: a tab for a tsv file; by default, that of a first line `sep=;`, or else a comma.
        encoding: encoding of a file that is not UTF-8.

    Raises InputError if the file cannot be read, a quote makes several rows one cell, a row is longer than the header,
    or a column name is duplicated.
    """
    kind = "tsv" if separator == "\t" else "csv"
    try:
        text, separator = without_directive(read_text(path, encoding), separator)
        quoting = csv.QUOTE_MINIMAL
        if separator == "\t" and has_literal_quotes(text):
            log.info("%s: quotes are read as text, because some cells begin with a quote and do not end with one", path)
            quoting = csv.QUOTE_NONE
        else:
            check_quotes(text, separator)
        check_rows(text, separator, quoting, path)
        how = {"sep": separator, "quoting": quoting, "dtype": str, "index_col": False, **EMPTY_CELLS}
        with warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)
            names = pd.read_csv(io.StringIO(text), header=None, nrows=1, **how).iloc[0]
            table = pd.read_csv(io.StringIO(text), **how)
        check_named(names, table)
    except Exception as error:  # any parser error
        raise unreadable(path, kind, error) from error
    check_unique(names.dropna(), path)
    return table


def check_named(names: pd.Series, table: pd.DataFrame) -> None:
    """Raise ValueError if most columns but the first that are filled in most rows have no name.

    Then the first row is a line above the header. The first column can be one of row numbers, which often has no name.
    """
    filled = (table.notna() & (table != "")).mean().to_numpy() > 1 / 2
    unnamed = names.isna().to_numpy()[1:][filled[1:]]
    if 2 * unnamed.sum() > len(unnamed):
        raise ValueError(
            "most cells of the first row are empty, but not those below; expected: the names of the columns in the "
            "first row"
        )


def unreadable(path: Path, kind: str, error: Exception) -> InputError:
    """Return the error of a reader as an InputError in one line; an InputError is returned unchanged."""
    if isinstance(error, InputError):
        return error
    return InputError(f"{path}: cannot be read as {kind}: {first_line(error)}")


def check_unique(names: pd.Series, path: Path) -> None:
    """Raise InputError if a column name is duplicated."""
    if names.duplicated().any():
        raise InputError(f"{path}: column '{names[names.duplicated()].iloc[0]}' is duplicated; expected: once")


def without_directive(text: str, separator: str | None) -> tuple[str, str]:
    """Return a csv text with an empty line in place of a first line `sep=;`, and its separator."""
    found = DIRECTIVE.match(text)
    return ("\n" + text[found.end() :] if found else text), separator or (found[1] if found else ",")


def quoted_cells(text: str, separator: str) -> Iterator[re.Match]:
    """Yield all cells that begin with a quote, as the csv parser sees them.

    Each match has the groups `body`, `end` (the closing quote, or nothing) and `tail` (what follows it in the cell).
    """
    ends = re.escape(separator) + r"\r\n"
    pattern = rf'(?:\A|(?<=[{ends}]))"(?P<body>[^"]*(?:""[^"]*)*)(?P<end>"?)(?P<tail>[^{ends}]*)'
    return re.finditer(pattern, text) if '"' in text else iter(())


def is_unbalanced(cell: re.Match) -> bool:
    """Return whether a cell begins with a quote that is not closed, or not closed at the end of the cell.

    A closing quote after a backslash is an escaped quote of another dialect, which the parser does not know.
    """
    return not cell["end"] or (bool(cell["tail"].strip()) and not cell["body"].endswith("\\"))


def has_literal_quotes(text: str) -> bool:
    """Return whether the quotes of a tsv text are part of the cells.

    They are if a quote at the beginning of a cell is not closed at the end of the cell in the same line, and every line
    has as many tabs as the header. They are not if a quoted cell contains doubled quotes, as spreadsheets write them.
    """
    unbalanced = several_lines = doubled = False
    for cell in quoted_cells(text, "\t"):
        unbalanced |= is_unbalanced(cell)
        several_lines |= bool(BREAK.search(cell["body"]))
        doubled |= '""' in cell["body"] and not is_unbalanced(cell)
    if doubled or not (unbalanced or several_lines):
        return False
    tabs = {line.count("\t") for line in BREAK.split(text) if line.strip()}
    return len(tabs) == 1 and (unbalanced or tabs != {0})


def check_quotes(text: str, separator: str) -> None:
    """Raise ValueError with the line of the first quote that makes several rows one cell."""
    header = len(next(rows_of(text, separator), []))
    for cell in quoted_cells(text, separator):
        lines = len(BREAK.findall(cell["body"]))
        if not cell["end"]:
            problem = "is not closed"
        elif lines and is_unbalanced(cell):
            problem = f"is closed {lines} lines below, within a cell"
        elif lines >= ROWS_IN_A_CELL and header > 1 and are_rows(text, cell, separator, header):
            problem = f"is closed {lines} lines below, but each line between looks like a row"
        else:
            continue
        line = len(BREAK.findall(text[: cell.start()])) + 1
        raise ValueError(
            f"line {line}: a quote begins a cell and {problem}; expected: quotes at both ends of a cell, and doubled "
            "quotes in it"
        )


def are_rows(text: str, cell: re.Match, separator: str, size: int) -> bool:
    """Return whether each line that a cell touches has as many separators as a row of a size."""
    start, end = text.rfind("\n", 0, cell.start()) + 1, text.find("\n", cell.end())
    lines = text[start : end if end >= 0 else None].split("\n")
    return all(line.count(separator) == size - 1 for line in lines)


def rows_of(text: str, separator: str) -> Iterator[list[str]]:
    """Yield the rows of a csv text that are not blank."""
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return (row for row in rows if len(row) > 1 or any(cell.strip() for cell in row))


def check_rows(text: str, separator: str, quoting: int, path: Path) -> None:
    """Log the numbers of rows and lines if they differ.

    Raises ValueError if a row has more cells than the header.
    """
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator, quoting=quoting)
    header = last = number = 0  # last: last line of the previous row
    longest = (1, 0)  # lines of the longest row; its first line
    for row in rows:
        first, last = last + 1, rows.line_num
        longest = max(longest, (last - first + 1, first), key=lambda found: found[0])
        if len(row) > 1 or any(cell.strip() for cell in row):
            number += 1
            header = header or len(row)
        if any(cell.strip() for cell in row[header:]):
            raise ValueError(
                f"line {first} has {len(row)} cells, the header has {header}; expected: a header with all columns in "
                f"the first line, and quotes around cells that contain {separator!r}"
            )
    if longest[0] > 1:
        told = "%s: %d lines contain %d rows; the longest row has %d lines, from line %d"
        log.info(told, path, last, number - 1, *longest)


def find_separator(text: str) -> str:
    """Return the separator of a csv text: the most frequent one in the header by which most rows are as long as it.

    If the header is one cell, this is a separator by which all rows are one cell; but if another separator divides most
    rows into the same number of cells, the header is incomplete, and this separator is returned.
    """
    rows = {separator: list(islice(rows_of(text, separator), LOOKED_AT)) for separator in SEPARATORS}
    header = {separator: len(found[0]) if found else 0 for separator, found in rows.items()}
    by_header = sorted(SEPARATORS, key=header.__getitem__, reverse=True)  # a comma first among equals
    sizes = {separator: Counter(map(len, found[1:])) for separator, found in rows.items()}
    if header[by_header[0]] > 1:
        shares = {}
        for separator in by_header:
            as_long = [row for row in rows[separator][1:] if not any(row[header[separator] :])]
            as_long = [row for row in as_long if len(row) >= header[separator] > 1]
            shares[separator] = len(as_long) / max(1, len(rows[separator]) - 1)
        return next((found for found in by_header if shares[found] >= MOST), max(by_header, key=shares.__getitem__))
    for separator, counts in sizes.items():
        size, number = counts.most_common(1)[0] if counts else (1, 0)
        if size > 1 and number >= max(FEWEST_ROWS, MOST * counts.total()):
            return separator
    return next((separator for separator in SEPARATORS if set(sizes[separator]) <= {1}), ",")


def read_json(text: str, lines: bool) -> pd.DataFrame:
    """Read objects as rows: an array, or one object per line; with `lines=False`, also an object of columns or of rows.

    Raises ValueError if the text is not JSON.
    """
    try:
        content = json.loads(text)
    except ValueError:
        content = list(json_lines(text))
    if isinstance(content, dict) and lines:
        content = [content]
    if isinstance(content, dict):
        lists = [found for found in content.values() if isinstance(found, list) and found]
        tables = [found for found in lists if isinstance(found[0], dict)]
        if len(tables) == 1 and [len(found) for found in lists].count(len(tables[0])) == 1:
            content = tables[0]  # not one of several columns
    return pd.DataFrame(whole_characters(content) if SURROGATE.search(text) else content)


def whole_characters(content: Any) -> Any:
    """Return JSON content without halves of characters, which cannot be written to files."""
    if isinstance(content, str):
        return content.encode("utf-8", "ignore").decode()
    if isinstance(content, list):
        return [whole_characters(item) for item in content]
    if isinstance(content, dict):
        return {whole_characters(key): whole_characters(value) for key, value in content.items()}
    return content


def json_lines(text: str) -> Iterator[object]:
    """Yield the JSON content of each line that is not blank.

    Raises ValueError with the number of the line that is not JSON.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"line {number} is not JSON: {error.msg}") from error


def read_workbook(path: Path) -> pd.DataFrame:
    """Read the first sheet of an xlsx file, whose first row is the header; only empty cells are missing values.

    Raises InputError if a column name is duplicated, ValueError if most names but the first are missing.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # styles and extensions that are not read
        sheets = pd.ExcelFile(path, engine="openpyxl")
        table = sheets.parse(0, header=None, dtype=object, **EMPTY_CELLS)
    if len(sheets.sheet_names) > 1:
        log.info("%s: the first of %d sheets is read: %s", path, len(sheets.sheet_names), sheets.sheet_names[0])
    if table.empty:
        return table
    names = table.iloc[0]
    check_named(names, table[1:])
    check_unique(names.dropna().map(str), path)
    named = [f"Unnamed: {place}" if pd.isna(name) else str(name) for place, name in enumerate(names)]
    return table[1:].reset_index(drop=True).set_axis(named, axis=1)
