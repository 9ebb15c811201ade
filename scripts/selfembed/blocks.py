"""Means over MTEB's blocks of tasks, and over the blocks."""

import pandas as pd

MEAN = "mean of blocks"
# Shown task by task in the first version of the paper, part of no mean.
WITHOUT_MEAN = ("sts_v1",)


def block_means(scores: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Mean of `value` of every block of tasks, and the unweighted mean of these (block `mean of blocks`), as the paper.

    Args:
        scores: table of an experiment with tasks.
        by: columns that hold one score per task, for instance series, step and seed.

    Returns `by`, `block`, `value`; groups that lack a task or a block that others have are left out.
    """
    scores = scores[~scores["block"].isin(WITHOUT_MEAN)]
    means = complete(scores.groupby([*by, "block"], sort=False, dropna=False)["value"], ["block"])
    overall = complete(means.groupby(by, sort=False, dropna=False)["value"], []).assign(block=MEAN)
    return pd.concat([means, overall], ignore_index=True)


def complete(groups, kinds: list[str]) -> pd.DataFrame:
    """Means of groups that have as many values as the largest of their kind has rows: a run that diverged has none."""
    means = groups.agg(["mean", "count", "size"]).reset_index()
    needed = means.groupby(kinds)["size"].transform("max") if kinds else means["size"].max()
    return means[means["count"] == needed].rename(columns={"mean": "value"}).drop(columns=["count", "size"])
