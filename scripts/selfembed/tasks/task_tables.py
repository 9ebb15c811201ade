"""Tables of MTEB tasks read from files. Every cell is checked before mteb sees it."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pandas as pd

from selfembed.errors import InputError, reword_errors
from selfembed.texts.corpora import as_text, one_thing_each, read_file


@dataclass(frozen=True)
class TaskTable:
    """The columns of a file that a task needs, without empty cells; rows are numbered from 0."""

    path: Path
    rows: pd.DataFrame

    def refuse(self, column: str, what: str, expected: str) -> NoReturn:
        """Raise InputError about a column."""
        raise InputError(f"{self.path}: column '{column}' {what}; expected: {expected}")

    def refuse_cell(self, column: str, row: int, what: str, expected: str) -> NoReturn:
        """Raise InputError about the cell in a row, counted from 0."""
        self.refuse(column, f"is {what} in row {row + 1}", expected)

    def texts(self, column: str, may_be_blank: bool = False) -> list[str]:
        """Return a column of texts.

        Raises InputError if a cell is no text, or is blank.
        """
        found = self.rows[column].tolist()
        for row, cell in enumerate(found):
            if not isinstance(cell, str):
                self.refuse_cell(column, row, shown(cell), "a text")
            if not cell.strip() and not may_be_blank:
                self.refuse_cell(column, row, "empty", "a text")
        return found

    def names(self, column: str) -> pd.Series:
        """Return a column of labels or ids, which are texts or numbers, as texts; 1 and 1.0 are equal.

        Raises InputError if a cell is a list or bytes.
        """
        return as_text(one_thing_each(self.rows[column], self.path))

    def unique(self, found: pd.Series) -> pd.Series:
        """Return a column of `names` unchanged.

        Raises InputError if two cells are equal.
        """
        if found.duplicated().any():
            second = int(found.duplicated().argmax())
            first = int((found == found[second]).argmax())
            self.refuse(str(found.name), f"is {found[second]!r} in rows {first + 1} and {second + 1}", "unique ids")
        return found

    def known_names(self, column: str, known: set[str], of: "TaskTable") -> pd.Series:
        """Return a column of ids as texts; `known` are those of the table `of`.

        Raises InputError if one is not among them.
        """
        found = self.names(column)
        unknown = ~found.isin(known)
        if unknown.any():
            row = int(unknown.argmax())
            self.refuse_cell(column, row, shown(found[row]), f"an _id in {of.path.name}")
        return found

    def numbers(self, column: str) -> pd.Series:
        """Return a column of finite numbers, float64.

        Raises InputError if a cell is no such number.
        """
        found = pd.to_numeric(one_thing_each(self.rows[column], self.path), errors="coerce").astype(float)
        wrong = ~np.isfinite(found)
        if wrong.any():
            row = int(wrong.argmax())
            self.refuse_cell(column, row, shown(self.rows[column].tolist()[row]), "a number")
        return found

    def whole_numbers(self, column: str) -> pd.Series:
        """Return a column of whole numbers from 0, int64.

        Raises InputError if a cell is no such number.
        """
        found = self.numbers(column)
        wrong = (found < 0) | (found % 1 != 0)
        if wrong.any():
            row = int(wrong.argmax())
            self.refuse_cell(column, row, f"{found[row]:g}", "a whole number from 0 (0: not relevant)")
        return found.astype(int)

    def lists(self, column: str, of: str, fits: Callable[[Any], bool]) -> list[list]:
        """Return a column of lists.

        Args:
            of: what their items must be, for messages.
            fits: whether an item is that.

        Raises InputError if a cell is no list, is empty, or has an item that does not fit.
        """
        found = []
        for row, cell in enumerate(self.rows[column]):
            if not is_list(cell):
                self.refuse_cell(column, row, shown(cell), "a list (jsonl or parquet)")
            found.append(cell.tolist() if isinstance(cell, np.ndarray) else cell)
            wrong = [item for item in found[-1] if not fits(item)]
            if wrong or not found[-1]:
                what = shown(wrong[0]) if wrong else "nothing"
                self.refuse(column, f"contains {what} in row {row + 1}", f"a list of {of}")
        return found


def read_table(path: Path, columns: tuple[str, ...]) -> TaskTable:
    """Read columns of a file, and the column `title` of a file of documents if there is one.

    Raises InputError if a column is missing or duplicated, a cell is empty, or there are no rows.
    """
    found = read_file(path).reset_index(drop=True)  # a Parquet file may have its own index
    for column in columns:
        times = list(found.columns).count(column)
        if times > 1:
            raise InputError(f"{path}: column '{column}' is duplicated; expected: once")
        if not times:
            raise InputError(f"{path}: no column '{column}'; columns: {', '.join(map(str, found.columns))}")
        empty = found[column].isna()
        if empty.any():
            raise InputError(f"{path}: column '{column}' is empty in row {int(empty.argmax()) + 1}; expected: a value")
    if found.empty:
        raise InputError(f"{path}: no rows; expected: at least one")
    optional = [name for name in ("title",) if name in found.columns and "text" in columns]
    rows = found[[*columns, *optional]]
    with reword_errors(f"{path}: cannot be read", expected="texts in UTF-8"):
        texts = rows.select_dtypes("str").astype(object)  # texts from Parquet files are decoded here
    return TaskTable(path, rows.assign(**texts))


def is_list(cell: object) -> bool:
    """Whether a cell is a list (of a jsonl file) or an array (of a Parquet file)."""
    return isinstance(cell, list | np.ndarray)


def names_in(items: list) -> list[str]:
    """Return labels or ids in a list as texts, as `TaskTable.names` does."""
    return as_text(pd.Series(items)).tolist()


def shown(cell: object) -> str:
    """Format a cell for a message: one line of at most 60 characters."""
    words = " ".join(repr(cell).split())
    return words if len(words) <= 60 else f"{words[:59]}…"


def is_name(item: object) -> bool:
    """Whether an item of a list is a label or an id: a text or a finite number."""
    return isinstance(item, str) or (isinstance(item, int | float) and math.isfinite(item))
