"""Means of our and published scores over blocks of MTEB tasks, sets of blocks, and corpora."""

import numpy as np
import pandas as pd

# Reported by task in the first version of the paper; excluded from means.
WITHOUT_MEAN = ("sts_v1",)
# Tasks in the means of the paper: four blocks in its first version, five in its second.
PAPER_TASKS = {
    "clustering": {
        "ArxivClusteringP2P",
        "BiorxivClusteringP2P",
        "MedrxivClusteringP2P",
        "RedditClusteringP2P",
        "StackExchangeClusteringP2P",
    },
    "reranking": {"SciDocsRR", "MindSmallReranking"},
    "retrieval": {"SCIDOCS", "ArguAna"},
    "sts": {"STS15", "STS16", "STSBenchmark"},
    "classification": {
        "AmazonPolarityClassification",
        "Banking77Classification",
        "ImdbClassification",
        "MassiveIntentClassification",
        "MassiveScenarioClassification",
        "MTOPDomainClassification",
        "TweetSentimentExtractionClassification",
    },
}
VERSIONS = {"v1": ("clustering", "reranking", "retrieval", "sts"), "v2": tuple(PAPER_TASKS)}
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")


def block_means(
    scores: pd.DataFrame, published: pd.DataFrame, by: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Compute the mean of each block of tasks, and unweighted means over sets of blocks (see `sets_of`).

    The mean of a block needs all tasks that our scores have in it, and that of a set the means of all its blocks.
    Incomplete means are omitted, so published means are over the same tasks as ours of the same name.

    Args:
        scores: table of an experiment with tasks.
        published: published numbers of the same tasks with the same columns.
        by: columns that identify a group with one score per task, such as series, step and seed.

    Returns our and the published means, each with the columns `by`, `block` (a block or the name of a set) and `value`,
    and the names of the sets, smallest first.
    """
    scores = scores[~scores["block"].isin(WITHOUT_MEAN)]
    tasks = {block: set(found) for block, found in scores.groupby("block", sort=False)["corpus"]}
    ours, theirs = (complete_blocks(table, by, tasks) for table in (scores, published))
    versions = {
        f"mean of {NUMBERS[len(blocks)]} blocks ({version})": blocks
        for version, blocks in VERSIONS.items()
        if all(tasks.get(block) == PAPER_TASKS[block] for block in blocks)
    }
    sets = sets_of(list(tasks), parts_of(theirs, "block", by), ("block", "blocks"), versions)
    both = (pd.concat([table, over_sets(table, "block", by, sets)], ignore_index=True) for table in (ours, theirs))
    return *both, list(sets)


def complete_blocks(scores: pd.DataFrame, by: list[str], tasks: dict[str, set[str]]) -> pd.DataFrame:
    """Compute the means of the blocks of which a group has all `tasks`; other tasks are ignored."""
    scores = scores.dropna(subset="value")
    known = [task in tasks.get(block, ()) for block, task in zip(scores["block"], scores["corpus"], strict=True)]
    groups = scores[np.array(known, dtype=bool)].groupby([*by, "block"], sort=False, dropna=False)
    means = groups.agg(value=("value", "mean"), tasks=("corpus", "nunique")).reset_index()
    return means[means["tasks"] == [len(tasks[block]) for block in means["block"]]].drop(columns="tasks")


def corpus_means(
    scores: pd.DataFrame, published: pd.DataFrame, by: list[str], repeated: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compute our and published means over sets of corpora (`sets_of`), with the columns `by`, `corpus` and `value`.

    Args:
        scores, published: one score per corpus and group.
        repeated: corpora with the texts of another corpus, excluded from means.
    """
    scores = scores[~scores["corpus"].isin(repeated)]
    corpora = list(dict.fromkeys(scores["corpus"]))  # includes those where runs diverged, so their means are omitted
    scores = scores.dropna(subset="value")
    published = published[published["corpus"].isin(corpora)].dropna(subset="value")
    sets = sets_of(corpora, parts_of(published, "corpus", by), ("corpus", "corpora"), {})
    return over_sets(scores, "corpus", by, sets), over_sets(published, "corpus", by, sets)


def parts_of(table: pd.DataFrame, part: str, by: list[str]) -> list[set[str]]:
    """Return the blocks or corpora of each group."""
    return [set(found) for _, found in table.groupby(by, sort=False, dropna=False)[part]]


def sets_of(
    parts: list[str], published: list[set[str]], nouns: tuple[str, str], named: dict[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """Return the sets of blocks or corpora whose means are shown by name, smallest first.

    These are the named sets and the set of all our parts. If no group of published numbers covers any of them, the
    largest set that a group covers is added and named after its parts.

    Args:
        parts: our blocks or corpora, in order.
        published: the blocks or corpora of each group of published numbers.
        nouns: singular and plural of the parts.
        named: predefined sets by name.
    """
    sets = dict(named)
    if set(parts) not in map(set, named.values()):
        number = NUMBERS[len(parts)] if len(parts) < len(NUMBERS) else len(parts)
        sets[f"mean of {number} {nouns[len(parts) != 1]}"] = tuple(parts)
    largest = max(published, key=len, default=set())
    comparable = any(found.issuperset(members) for found in published for members in sets.values())
    if not comparable and len(largest) > 1:
        members = tuple(part for part in parts if part in largest)
        sets[f"mean of {', '.join(members)}"] = members
    return dict(sorted(sets.items(), key=lambda item: len(item[1])))


def over_sets(table: pd.DataFrame, part: str, by: list[str], sets: dict[str, tuple[str, ...]]) -> pd.DataFrame:
    """Compute means over sets of blocks or corpora for groups with the complete set; `part` is the name of the set."""
    means = []
    for name, members in sets.items():
        groups = table[table[part].isin(members)].groupby(by, sort=False, dropna=False)["value"]
        found = groups.agg(["mean", "count"]).reset_index()
        means.append(found[found["count"] == len(members)].assign(**{part: name}))
    return pd.concat(means, ignore_index=True).rename(columns={"mean": "value"})[[*by, part, "value"]]
