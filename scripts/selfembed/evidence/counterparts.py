"""Match published numbers with ours, so that both can be shown together."""

import pandas as pd

from selfembed.scores import tables

# Columns that identify a number of an experiment in both tables.
KEY = ["series", "x", "corpus", "step", "layer", "pooling", "score"]


def keyed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its key columns as comparable text."""
    return table.assign(**{column: table[column].map(tables.spelled) for column in KEY})


def counterparts(published: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Select the published numbers that match one of ours, with our names.

    Args:
        published: columns `KEY` and `value`.
        scores: table of an experiment with the columns `KEY`, `label`, `seed` and any others.

    Returns one row per published number with the columns of `scores`: its `value`, no seed, and all other columns from
    the matching row of `scores`. A number that matches several labels, as in a sweep of two keys, is omitted.
    """
    scores = scores.reset_index(drop=True)
    keys = pd.Series(keys_of(scores), dtype=object)
    unique = scores.groupby(keys, sort=False)["label"].transform("nunique") == 1
    row_of = {key: row for row, key in keys[unique & ~keys.duplicated()].items()}
    values = [
        (row_of[key], value) for key, value in zip(keys_of(published), published["value"], strict=True) if key in row_of
    ]
    found = scores.loc[[row for row, _ in values]].reset_index(drop=True)
    return found.assign(value=[value for _, value in values], seed=pd.Series(pd.NA, found.index, dtype="Int64"))


def keys_of(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the key of each row as comparable text."""
    return list(keyed(table)[KEY].itertuples(index=False, name=None))
