"""Tables with one row per text of a corpus."""

from pathlib import Path

import pandas as pd

from selfembed.errors import InputError, reword_errors


def read_rows(path: Path, ids: pd.Series, columns: list[str]) -> pd.DataFrame:
    """Read columns of a table with one row per text.

    Raises InputError if its ids differ.
    """
    said = f"{path}: cannot be read as a table with the columns id, {', '.join(columns)}"
    with reword_errors(said, (ValueError, OSError)):
        table = pd.read_parquet(path, columns=["id", *columns])
    if table["id"].tolist() != ids.tolist():
        raise InputError(f"{path}: texts differ from the corpus; expected: the same ids in the same order")
    return table[columns]


def names_of_clusters(clusters: pd.Series, names: Path) -> pd.Series:
    """Return the name of the cluster of every text.

    Args:
        clusters: number of the cluster of every text.
        names: table with the name of every cluster (CSV).
    """
    return clusters.map(pd.read_csv(names).set_index("cluster")["name"])
