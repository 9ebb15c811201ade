"""Tidy tables of scores and losses: their columns, and how they are read."""

from pathlib import Path

import pandas as pd

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


def read(path: Path) -> pd.DataFrame:
    """Read a table that the workflow wrote; only empty cells are missing, so a label may be called None or NA."""
    types = {"label": str, "series": str, "group": str, "block": str, "seed": "Int64"}
    return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype=types)
