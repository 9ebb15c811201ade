"""Detection of the columns of a table that contain texts, titles and classes."""

import re
from datetime import date
from pathlib import Path

import pandas as pd

from selfembed.errors import InputError
from selfembed.texts.ranges import find_ranges
from selfembed.texts.sentences import count_words

FEWEST_WORDS = 4  # minimum median of words per cell in a column of texts; names, dates and classes have fewer
MOSTLY_TEXT = 0.9  # minimum fraction of cells that are text in a column of texts; others are written as text
CLEARLY_LONGER = 3  # minimum ratio of median lengths of the longest and the second longest column
LOOKED_AT = 2000  # maximum number of cells examined per column, evenly spaced
TITLES = ("title", "headline", "subject", "name")
MOST_CLASSES = 50
LEAST_IN_CLASS = 10  # texts; equal to the number of neighbours in k-NN accuracy
MOST_COLORS = 8
LONG_NAME = 100  # characters in the name of a column that is probably a text
COLORED = (str, int, float, date)  # what cells of columns to colour by can be; datetimes are dates
SHOWN = 40  # maximum number of characters of a text in a message


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


def could_be_labels(raw: pd.DataFrame, text: str) -> list[str]:
    """Return columns that have, in most rows, one of 2 to MOST_CLASSES values with LEAST_IN_CLASS rows or more each."""
    found = []
    for column in names(raw):
        if column == text:
            continue
        try:
            sizes = raw[column].value_counts()
        except TypeError:  # cells that are lists or dictionaries
            continue
        if 2 <= len(sizes) <= MOST_CLASSES and sizes.min() >= LEAST_IN_CLASS and sizes.sum() >= len(raw) / 2:
            found.append(column)
    return found


def could_be_colors(raw: pd.DataFrame, others: set[str]) -> list[str]:
    """Return at most MOST_COLORS columns that a map could be coloured by: numbers, dates and classes, but no ids.

    Args:
        others: columns that have another use.
    """
    found = []
    for column in names(raw):
        cells = raw[column].dropna().astype(object)
        can_be_named = column not in others and re.fullmatch(r"[^-<][^<]*", column)
        if not can_be_named or len(found) == MOST_COLORS or not all(isinstance(cell, COLORED) for cell in cells):
            continue
        cells = cells.map(str)
        is_id = len(cells) > MOST_CLASSES and cells.is_unique and cells.str.fullmatch(r"\d+").all()
        if not is_id and cells.nunique() >= 2 and (cells.nunique() <= MOST_CLASSES or find_ranges(cells) is not None):
            found.append(column)
    return found


def names(raw: pd.DataFrame) -> list[str]:
    """Return the columns that a config can name: those that are not duplicated."""
    return [column for column in raw.columns if list(raw.columns).count(column) == 1]


def check_header(raw: pd.DataFrame, text: str, path: Path) -> None:
    """Raise InputError if the names of columns seem to be the first row of a table without a header.

    This is so if the name of the column of texts has several words, and the name of another column is a number or one
    of its cells, or the name is half as long as most texts and, if there are other columns, has LONG_NAME characters.
    The name can be a question, as in surveys; then all other names must be cells.
    """
    others = [column for column in names(raw) if column != text]
    like_cells = [column in set(map(str, spread(raw[column]))) for column in others]
    is_long = len(text) >= lengths_in(raw[text])[1] / 2 and (not others or len(text) >= LONG_NAME)
    is_question = text.rstrip().endswith(("?", ":"))
    is_text = any(like_cells) or is_long or any(map(is_number, others))
    if is_question:
        is_text = bool(others) and all(like_cells)
    if count_words(text) >= FEWEST_WORDS and is_text:
        shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
        raise InputError(
            f"{path}: the first row seems to be a text, not the names of columns: '{shown}'; expected: a first row "
            "with names; if it has them, TEXT=column"
        )


def is_number(name: str) -> bool:
    """Return whether the name of a column is a number."""
    try:
        float(name)
    except ValueError:
        return False
    return True


def lengths_in(cells: pd.Series) -> tuple[int, int]:
    """Return the medians of words and characters per cell; 0 and 0 if many cells are not text."""
    found = spread(cells)
    texts = [cell for cell in found if isinstance(cell, str)]
    if not texts or len(texts) < MOSTLY_TEXT * len(found):
        return 0, 0
    words = pd.Series([count_words(text) for text in texts]).median()
    return int(words), int(pd.Series(map(len, texts)).median())


def spread(cells: pd.Series) -> list:
    """Return at most LOOKED_AT evenly spaced cells that are not missing."""
    present = cells.dropna()
    return list(present.iloc[:: max(1, len(present) // LOOKED_AT)].astype(object))[:LOOKED_AT]
