"""Labels from author keywords, by the rules of the ICLR dataset."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from selfembed.errors import InputError
from selfembed.texts import cells


def read_classes(path: Path) -> pd.DataFrame:
    """Read a table of keywords, indexed by keyword in lower case, with the columns `frequency` and `class`.

    Raises InputError if the file is unreadable, lacks columns, or has duplicate keywords or invalid frequencies.
    """
    table = cells.read(path).fillna("")
    missing = {"keyword", "frequency", "class"} - set(table.columns)
    if missing:
        raise InputError(f"{path}: no column {', '.join(sorted(missing))}; expected: keyword, frequency, class")
    table["keyword"] = table["keyword"].str.strip().str.lower()
    twice = table["keyword"][table["keyword"].duplicated()]
    if len(twice):
        raise InputError(f"{path}: keyword '{twice.iloc[0]}' is duplicated; expected: one row each")
    numbers = pd.to_numeric(table["frequency"], errors="coerce")
    if numbers.isna().any():
        row = table[numbers.isna()].iloc[0]
        raise InputError(f"{path}: frequency of '{row['keyword']}' is {row['frequency']!r}; expected: a number")
    return table.assign(frequency=numbers).set_index("keyword")


def label(keywords: Iterable[str], classes: pd.DataFrame) -> str | None:
    """Return the class of the rarest known keyword, the first one in case of ties; None if no keyword is known.

    Frequencies are constants of the dataset, not counts in the corpus.
    """
    known = [keyword for keyword in keywords if keyword in classes.index]
    if not known:
        return None
    return classes.at[min(known, key=lambda keyword: classes.at[keyword, "frequency"]), "class"]


def split(cell: object) -> list[str]:
    """Split a cell (a list, or text separated by commas or semicolons) into keywords in lower case."""
    if isinstance(cell, str):
        cell = cell.replace(";", ",").split(",")
    elif not hasattr(cell, "__iter__"):
        return []
    return [str(keyword).strip().lower() for keyword in cell]
