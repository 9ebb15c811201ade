"""Means over MTEB's blocks of tasks, over sets of blocks, and over corpora: ours and published ones over the same."""

import pandas as pd

# Shown task by task in the first version of the paper, part of no mean.
WITHOUT_MEAN = ("sts_v1",)
# What the paper averages: four blocks in its first version, and a fifth in its second.
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
    scores: pd.DataFrame, published: pd.DataFrame | None, by: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Mean of `value` of every block of tasks, and unweighted means of these over sets of blocks (see `sets_of`).

    A block has a mean where it has all tasks that our scores have in it, and a set where it has the means of all its
    blocks; so a published mean is over the same tasks as ours of the same name, or is not there.

    Args:
        scores: table of an experiment with tasks.
        published: published numbers of the same tasks, in the same columns; may be missing.
        by: columns that hold one score per task, for instance series, step and seed.

    Returns ours and the published means, each as `by`, `block`, `value`, where `block` is a block or the name of a set,
    and the names of the sets, smallest first.
    """
    scores = scores[~scores["block"].isin(WITHOUT_MEAN)]
    tasks = {block: set(found) for block, found in scores.groupby("block", sort=False)["corpus"]}
    ours, theirs = (
        complete_blocks(table, by, tasks) for table in (scores, scores.iloc[:0] if published is None else published)
    )
    versions = {
        f"mean of {NUMBERS[len(blocks)]} blocks ({version})": blocks
        for version, blocks in VERSIONS.items()
        if all(tasks.get(block) == PAPER_TASKS[block] for block in blocks)
    }
    sets = sets_of(list(tasks), parts_of(theirs, "block", by), ("block", "blocks"), versions)
    both = (pd.concat([table, over_sets(table, "block", by, sets)], ignore_index=True) for table in (ours, theirs))
    return *both, list(sets)


def complete_blocks(scores: pd.DataFrame, by: list[str], tasks: dict[str, set[str]]) -> pd.DataFrame:
    """Means of blocks, of groups that have all of a block's tasks; tasks outside these are left out."""
    scores = scores.dropna(subset="value").reset_index(drop=True)
    known = [task in tasks.get(block, ()) for block, task in zip(scores["block"], scores["corpus"], strict=True)]
    groups = scores[pd.Series(known, dtype=bool)].groupby([*by, "block"], sort=False, dropna=False)
    means = groups.agg(value=("value", "mean"), tasks=("corpus", "nunique")).reset_index()
    needed = [len(tasks[block]) for block in means["block"]]
    return means[means["tasks"] == needed].drop(columns="tasks")


def corpus_means(
    scores: pd.DataFrame, published: pd.DataFrame | None, by: list[str], repeated: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Means of `value` over sets of corpora (`sets_of`), ours and published ones, each as `by`, `corpus`, `value`.

    Args:
        scores, published: one score per corpus and group.
        repeated: corpora that are in no mean, because their texts are those of another.
    """
    scores = scores[~scores["corpus"].isin(repeated)]
    corpora = list(dict.fromkeys(scores["corpus"]))  # also where runs diverged: no mean is over the others alone
    scores = scores.dropna(subset="value")
    published = scores.iloc[:0] if published is None else published.dropna(subset="value")
    published = published[published["corpus"].isin(corpora)]
    sets = sets_of(corpora, parts_of(published, "corpus", by), ("corpus", "corpora"), {})
    return over_sets(scores, "corpus", by, sets), over_sets(published, "corpus", by, sets)


def parts_of(table: pd.DataFrame, part: str, by: list[str]) -> list[set[str]]:
    """The blocks, or corpora, that every group has."""
    return [set(found) for _, found in table.groupby(by, sort=False, dropna=False)[part]]


def sets_of(
    parts: list[str], published: list[set[str]], nouns: tuple[str, str], named: dict[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    """The sets of blocks, or corpora, whose means are shown, smallest first: all that ours has, and those with a name.

    Where no group of published numbers has all of any of these, the largest set that one has is shown too, called after
    its parts.

    Args:
        parts: what ours has, in order.
        published: what every group of published numbers has, of these.
        nouns: what one and several are called.
        named: sets with a name of their own.
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
    """Means over sets of blocks, or corpora, of groups that have all of a set; the name of the set stands in `part`."""
    means = []
    for name, members in sets.items():
        groups = table[table[part].isin(members)].groupby(by, sort=False, dropna=False)["value"]
        found = groups.agg(["mean", "count"]).reset_index()
        means.append(found[found["count"] == len(members)].assign(**{part: name}))
    return pd.concat(means, ignore_index=True).rename(columns={"mean": "value"})[[*by, part, "value"]]
