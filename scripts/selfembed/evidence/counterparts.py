"""Published numbers of what is in a table of ours, so that both are shown in one place."""

import pandas as pd

from selfembed.scores import tables

# What identifies a number among those of an experiment, in both tables.
KEY = ["series", "x", "corpus", "step", "layer", "pooling", "score"]


def keyed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its key columns as comparable text."""
    return table.assign(**{column: table[column].map(tables.spelled) for column in KEY})


def counterparts(published: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """The published numbers that have one of ours to stand beside, called as ours.

    Args:
        published: columns `KEY` and `value`.
        scores: table of an experiment: `KEY`, `label`, `seed` and further columns that say what a number is.

    Returns the columns of `scores`, one row per published number: its `value`, no seed, and all else as ours has it. A
    number that could be that of several labels, as in a sweep of two keys, is left out.
    """
    scores = scores.reset_index(drop=True)
    keys = pd.Series(keys_of(scores), dtype=object)
    alone = scores.groupby(keys, sort=False)["label"].transform("nunique") == 1
    row_of = {key: row for row, key in keys[alone & ~keys.duplicated()].items()}
    values = [
        (row_of[key], value) for key, value in zip(keys_of(published), published["value"], strict=True) if key in row_of
    ]
    found = scores.loc[[row for row, _ in values]].reset_index(drop=True)
    return found.assign(value=[value for _, value in values], seed=pd.Series(pd.NA, found.index, dtype="Int64"))


def keys_of(table: pd.DataFrame) -> list[tuple[str, ...]]:
    """What identifies the number in every row, as comparable text."""
    return list(keyed(table)[KEY].itertuples(index=False, name=None))
