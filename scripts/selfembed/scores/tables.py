"""Tidy tables of scores and losses: their columns, and how they are read."""

from pathlib import Path

import pandas as pd

from selfembed.errors import InputError, first_line

# One score is one number with everything that identifies it.
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
# What figures call a model: a unique label, the label without what a sweep changes, the swept value, a family.
LINE_COLUMNS = ["label", "series", "x", "group"]
SCORE_COLUMNS = [*IDENTITY_COLUMNS, "value", "standard_error", "n_train", "n_test", "n_classes"]
# What every tested text adds to a score, whose value is the mean of these, beside every file of scores on a corpus.
OUTCOME_COLUMNS = ["pooling", "layer", "score", "id", "outcome"]


def read(path: Path, *needed: str) -> pd.DataFrame:
    """Read a table of scores or losses; only empty cells are missing, so a label may be called None or NA.

    Raises InputError if the file is none, or lacks one of the needed columns.
    """
    types = {"label": str, "series": str, "group": str, "block": str, "seed": "Int64", "value": float}
    try:
        table = pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=types)
    except Exception as error:  # whatever the bytes do to the parser
        raise InputError(f"{path}: cannot be read as a table: {first_line(error)}") from error
    lacking = ", ".join(name for name in needed if name not in table.columns)
    if lacking:
        raise InputError(f"{path}: no column {lacking}; columns: {', '.join(table.columns)}")
    return table


def read_maps(path: Path, *needed: str) -> pd.DataFrame:
    """Read positions of texts, with labels.

    Raises InputError if the file holds none.
    """
    try:
        return pd.read_parquet(path, columns=[*needed, "id", "label", "x", "y"])
    except Exception as error:  # whatever the bytes do to the parser
        raise InputError(f"{path}: cannot be read as a map: {first_line(error)}") from error


def spelled(value: object) -> str:
    """A key's value as text: 10, 10.0 and "10" are the same, and what is missing is empty."""
    if pd.isna(value):
        return ""
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value)


def chosen(table: pd.DataFrame, **allowed: list) -> pd.DataFrame:
    """Rows of a table whose cells are among those allowed in some columns, as text; an empty list allows all."""
    for column, values in allowed.items():
        if values:
            table = table[table[column].astype(str).isin(list(map(str, values)))]
    return table


def last_layers(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the last layer of their model."""
    return table[table["layer"] == table["last_layer"]]


def one_number_per(place: list[str], scores: pd.DataFrame) -> pd.DataFrame:
    """The scores, if those in one place of a figure or table differ in their seeds alone, so that they may be averaged.

    Args:
        place: columns whose values together are a place.

    Raises InputError if they differ in more, or if a seed occurs twice.
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
