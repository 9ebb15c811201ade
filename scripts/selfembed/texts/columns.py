"""Detection of the columns of a table that contain texts, titles and classes."""

from pathlib import Path

import pandas as pd

from selfembed.errors import InputError
from selfembed.texts.sentences import count_words

FEWEST_WORDS = 4  # minimum median of words per cell in a column of texts; names, dates and classes have fewer
CLEARLY_LONGER = 3  # minimum ratio of median lengths of the longest and the second longest column
LOOKED_AT = 2000  # maximum number of cells examined per column, evenly spaced
TITLES = ("title", "headline", "subject", "name")
MOST_CLASSES = 50


def find_text(raw: pd.DataFrame, path: Path) -> str:
    """Return the column of texts: the only one with several words per cell, one named `text`, or by far the longest.

    Columns with the name of a title are considered only if there are no others.

    Raises InputError with the candidate columns if the choice is ambiguous.
    """
    if raw.shape[1] == 1:
        return raw.columns[0]
    lengths = {column: lengths_in(raw[column]) for column in names(raw)}
    found = {column: length for column, (words, length) in lengths.items() if words >= FEWEST_WORDS}
    found = {column: length for column, length in found.items() if column.lower() not in TITLES} or found
    if not found:
        columns = ", ".join(map(str, raw.columns))
        raise InputError(f"{path}: no column contains texts of several words; columns: {columns}; set one: TEXT=column")
    called = [column for column in found if column.lower() == "text"]
    if len(called) == 1:
        return called[0]
    longest, *others = sorted(found, key=found.__getitem__, reverse=True)
    if not others or found[longest] >= CLEARLY_LONGER * found[others[0]]:
        return longest
    listed = ", ".join(f"'{column}' ({found[column]} characters)" for column in [longest, *others])
    raise InputError(f"{path}: several columns may contain the texts: {listed}; set one: TEXT={longest}")


def find_title(raw: pd.DataFrame, text: str) -> str | None:
    """Return the column of titles by its name; None if there is none."""
    by_name = {column.lower(): column for column in names(raw) if column != text}
    return next((by_name[title] for title in TITLES if title in by_name), None)


def could_be_labels(raw: pd.DataFrame, text: str, fewest: int) -> list[str]:
    """Return columns that have, in most rows, one of 2 to MOST_CLASSES values with at least `fewest` rows each."""
    found = []
    for column in names(raw):
        if column == text:
            continue
        try:
            sizes = raw[column].value_counts()
        except TypeError:  # cells that are lists or dictionaries
            continue
        if 2 <= len(sizes) <= MOST_CLASSES and sizes.min() >= fewest and sizes.sum() >= len(raw) / 2:
            found.append(column)
    return found


def names(raw: pd.DataFrame) -> list[str]:
    """Return the columns that a config can name: unique strings."""
    return [column for column in raw.columns if isinstance(column, str) and list(raw.columns).count(column) == 1]


def lengths_in(cells: pd.Series) -> tuple[int, int]:
    """Return the medians of words and characters per cell; 0 and 0 if a cell is not text."""
    texts = spread(cells)
    if not texts or not all(isinstance(text, str) for text in texts):
        return 0, 0
    words = pd.Series([count_words(text) for text in texts]).median()
    return int(words), int(pd.Series(map(len, texts)).median())


def spread(cells: pd.Series) -> list:
    """Return at most LOOKED_AT evenly spaced cells that are not missing."""
    present = cells.dropna()
    return list(present.iloc[:: max(1, len(present) // LOOKED_AT)].astype(object))[:LOOKED_AT]
