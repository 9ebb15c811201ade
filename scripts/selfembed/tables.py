"""Tidy tables of scores and losses: their columns, and how they are read."""

from pathlib import Path

import pandas as pd

from selfembed.errors import InputError

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


# What must be the same in rows that are averaged; only seeds may differ. (Labels do where a sweep has two keys.)
AVERAGED_OVER_SEEDS = ("series", "x", "corpus", "step", "layer", "pooling", "score", "label")


def check_averaged(scores: pd.DataFrame, by: list[str]) -> None:
    """Check that rows with the same values in some columns, which are about to be averaged, differ in their seed alone.

    Raises InputError that names what differs besides.
    """
    for column in AVERAGED_OVER_SEEDS:
        if column in by or column not in scores:
            continue
        for _, values in scores.groupby(by, dropna=False, sort=False)[column]:
            if values.nunique(dropna=False) > 1:
                found = ", ".join(map(str, values.unique()))
                raise InputError(f"values with {column} {found} would be averaged; needed: one {column} to show")


def read(path: Path) -> pd.DataFrame:
    """Read a table that the workflow wrote; only empty cells are missing, so a label may be called None or NA."""
    types = {"label": str, "series": str, "group": str, "block": str, "seed": "Int64"}
    return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=types)
