"""Match published numbers with ours, so that both can be shown together."""

import pandas as pd

from selfembed.scores import tables

# Columns that identify a number of an experiment in both tables.
KEY = ["series", "x", "corpus", "step", "layer", "pooling", "score"]


def keyed(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with its key columns as comparable text."""
    return table.assign(**{column: table[column].map(tables.key_text) for column in KEY})


def counterparts(published: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Select the published numbers that match one of ours, with our names.

    Args:
        published: columns `KEY` and `value`.
        scores: table of an experiment with the columns `KEY`, `label`, `seed` and any others.

    Returns one row per published number with the columns of `scores`: its `value`, no seed, and all other columns from
    the matching row of `scores`. A number that matches several labels, as in a sweep of two keys, is omitted.
    """
    ours = scores.assign(key=keys_of(scores)).drop(columns="value")
    unique = ours.groupby("key", sort=False)["label"].transform("nunique") == 1
    theirs = published[["value"]].assign(key=keys_of(published))
    found = theirs.merge(ours[unique].drop_duplicates("key"), on="key")
    return found[scores.columns].assign(seed=pd.Series(pd.NA, found.index, dtype="Int64"))


def keys_of(table: pd.DataFrame) -> pd.Series:
    """Return the key of each row as a tuple of comparable text."""
    return pd.Series(list(keyed(table)[KEY].itertuples(index=False, name=None)), table.index, dtype=object)
