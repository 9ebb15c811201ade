"""Read outcomes, the contributions of the test texts to scores."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from selfembed.errors import InputError, reword_errors
from selfembed.jobs import seals
from selfembed.scores import tables


def of_scores(scores: pd.DataFrame, path: Path) -> list[pd.Series]:
    """Return the outcomes of each score of a file, by the text's id.

    Args:
        scores: rows of the score file with the columns `pooling`, `layer` and `score`.
        path: file of outcomes (Parquet) beside the score file.

    Raises InputError if the file is missing or invalid.
    """
    if not path.is_file():
        raise InputError(
            f"{path}: does not exist; expected beside the scores (were they computed by an older version?)"
        )
    with reword_errors(f"{path}: cannot be read as outcomes", (ValueError, OSError)):
        everything = pd.read_parquet(seals.opened(path), columns=tables.OUTCOME_COLUMNS)
    found = []
    for pooling, layer, score in scores[["pooling", "layer", "score"]].itertuples(index=False, name=None):
        here = (everything["pooling"] == pooling) & (everything["layer"] == layer) & (everything["score"] == score)
        found.append(everything[here].set_index("id")["outcome"])
    return found


def of_files(
    files: Iterable[tuple[dict[str, str], list[Path]]], **allowed: list
) -> tuple[pd.DataFrame, list[pd.Series]]:
    """Return the rows of last layers of score files, and the outcomes of each row.

    Args:
        files: columns to add, by name, and the score files (CSV) that get them; outcomes (Parquet) are beside them.
        allowed: values of columns to select, as in `tables.chosen`.
    """
    rows, found = [], []
    for names, paths in files:
        for path in paths:
            scores = tables.chosen(tables.last_layers(tables.read(path, *tables.SCORE_COLUMNS)), **allowed)
            rows.append(scores.assign(**names))
            found += of_scores(scores, path.with_suffix(".parquet"))
    return pd.concat(rows, ignore_index=True), found


def of_rows(scores: pd.DataFrame) -> list[pd.Series]:
    """Return the outcomes of each score row, in their order; the column `path` holds the path of the score file."""
    found: dict[int, pd.Series] = {}
    numbered = scores.assign(position=range(len(scores)))
    for path, rows in numbered.groupby("path", sort=False):
        found |= dict(zip(rows["position"], of_scores(rows, Path(path).with_suffix(".parquet")), strict=True))
    return [found[position] for position in range(len(scores))]
