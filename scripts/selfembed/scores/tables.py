"""Tidy tables of scores and losses: columns, reading, selection."""

from pathlib import Path

import pandas as pd

from selfembed.errors import InputError, reword_errors

# Columns that identify a score.
IDENTITY_COLUMNS = [
    "corpus",
    "block",
    "model",
    "encoder",
    "training_corpus",
    "recipe",
    "seed",
    "step",
    "layer",
    "last_layer",
    "pooling",
    "score",
    "settings",
]
# Names of a model in figures: unique label, label without the swept value, swept value, family.
LINE_COLUMNS = ["label", "series", "x", "group"]
# Columns of names, which can look like numbers.
TEXTS = ("corpus", "block", "model", "encoder", "training_corpus", "recipe", "label", "series", "group")
SCORE_COLUMNS = [*IDENTITY_COLUMNS, "value", "standard_error", "n_train", "n_test", "n_classes"]
# Additional column of accuracies with `balanced`: the score of always predicting the largest class.
LARGEST_CLASS = "largest_class"
# Contribution of each test text to a score, which is their mean; written beside each file of scores on a corpus.
OUTCOME_COLUMNS = ["pooling", "layer", "score", "id", "outcome"]


def read(path: Path, *needed: str) -> pd.DataFrame:
    """Read a table of scores or losses; only empty cells are missing values, so None and NA are valid labels and names.

    Raises InputError if the file is unreadable or lacks a needed column.
    """
    types = dict.fromkeys(TEXTS, str) | {"seed": "Int64", "value": float}
    with reword_errors(f"{path}: cannot be read as a table"):  # the parser raises many types
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=types)
    lacking = ", ".join(name for name in needed if name not in table.columns)
    if lacking:
        raise InputError(f"{path}: no column {lacking}; columns: {', '.join(table.columns)}")
    return table


def read_maps(path: Path, *needed: str) -> pd.DataFrame:
    """Read the positions and labels of texts in a map.

    Raises InputError if the file is unreadable or lacks a column.
    """
    with reword_errors(f"{path}: cannot be read as a map"):  # the parser raises many types
        return pd.read_parquet(path, columns=[*needed, "id", "label", "x", "y"])


def key_text(value: object) -> str:
    """Value of a key column as comparable text: 10, 10.0 and "10" are equal, missing values are empty."""
    if pd.isna(value):
        return ""
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value)


def chosen(table: pd.DataFrame, **allowed: list) -> pd.DataFrame:
    """Select rows by allowed values of columns, compared as text; an empty list allows all."""
    for column, values in allowed.items():
        if values:
            table = table[table[column].astype(str).isin(list(map(str, values)))]
    return table


def last_layers(table: pd.DataFrame) -> pd.DataFrame:
    """Select the rows of the last layer of each model."""
    return table[table["layer"] == table["last_layer"]]


def one_number_per(place: list[str], scores: pd.DataFrame) -> pd.DataFrame:
    """Return the scores unchanged if those at each place of a figure or table differ only in their seed.

    Args:
        place: columns whose values identify a place.

    Raises InputError if they differ in another column, or if a seed occurs twice.
    """
    for column in ("label", "corpus", "score", "step", "layer", "pooling"):
        values = scores.groupby(place, sort=False, dropna=False)[column].unique()
        several = [found for found in values if len(found) > 1]
        if several:
            found = ", ".join(map(repr, map(str, several[0])))
            raise InputError(f"{column}: {found} would be averaged; expected: one {column} per value shown")
    twice = scores[scores.duplicated([*place, "seed"])]
    if len(twice):
        found = ", ".join(f"{column} {value}" for column, value in twice.iloc[0][[*place, "seed"]].items())
        raise InputError(f"{found}: several values; expected: one per seed (is an entry duplicated?)")
    return scores
