"""Published numbers against ours: which differ by more than chance explains."""

import numpy as np
import pandas as pd

from selfembed.errors import InputError

# What identifies a number in both tables.
KEY = ["experiment", "series", "x", "corpus", "step", "layer", "pooling", "score"]
VERDICTS = ("within noise", "differs", "not run")

# Same weights, same texts, no seed: only software versions may differ.
UNSEEDED_TOLERANCE = 0.005
# Published numbers are rounded to a tenth of a per cent where they come as text.
ROUNDING = 0.0005


def keyed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with its key columns as comparable text."""
    table = table.copy()
    for column in KEY:
        table[column] = table[column].map(spelled)
    return table


def spelled(value: object) -> str:
    """A key's value as text: 10, 10.0 and "10" are the same, and what is missing is empty."""
    if pd.isna(value):
        return ""
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value)


def tolerance(values: pd.DataFrame) -> float:
    """Two standard errors of the difference between one published run and the mean of ours.

    With at least three seeds from their spread, but not below what rounding does; with fewer, twice a binomial standard
    error of each of both numbers; for models without a seed a fixed tolerance.
    """
    n = len(values)
    if values["seed"].isna().all():
        return UNSEEDED_TOLERANCE
    if n >= 3:
        return max(2 * values["value"].std() * np.sqrt(1 + 1 / n), ROUNDING)
    return 2 * np.sqrt(2) * values["standard_error"].mean()


def compare(published: pd.DataFrame, reproduced: pd.DataFrame) -> pd.DataFrame:
    """One row per published number.

    Args:
        published: columns `KEY`, `value`, `source`; one row per number.
        reproduced: columns `KEY`, `label`, `value`, `seed`, `standard_error`; one row per number and seed.

    Returns the key, `published`, `reproduced` (mean over seeds), `difference`, `seed_spread` (standard deviation),
    `n_seeds`, `tolerance`, `verdict` and `source`. A difference without a tolerance (too few seeds of a score whose
    standard error is unknown) is called within noise up to the tolerance of a model without seed.

    Raises InputError if several labels of ours match a number, as those of a sweep of two keys do.
    """
    ours = dict(list(keyed(reproduced).groupby(KEY, sort=False)))
    rows = []
    for key, row in zip(
        keyed(published)[KEY].itertuples(index=False, name=None), published.to_dict("records"), strict=True
    ):
        found = {"published": row["value"], "verdict": "not run", "n_seeds": 0, "source": row["source"]}
        if key in ours:
            values = ours[key]
            if values["label"].nunique() > 1:
                found = "; ".join(values["label"].unique())
                raise InputError(f"experiment '{row['experiment']}': a number is published for one of: {found}")
            allowed = tolerance(values)
            allowed = UNSEEDED_TOLERANCE if np.isnan(allowed) else allowed
            difference = values["value"].mean() - row["value"]
            found |= {
                "reproduced": values["value"].mean(),
                "difference": difference,
                "seed_spread": values["value"].std(),
                "n_seeds": len(values),
                "tolerance": allowed,
                "verdict": "within noise" if abs(difference) <= allowed else "differs",
            }
        rows.append({name: row[name] for name in KEY} | found)
    numbers = ["published", "reproduced", "difference", "seed_spread", "n_seeds", "tolerance", "verdict", "source"]
    return pd.DataFrame(rows, columns=[*KEY, *numbers])
