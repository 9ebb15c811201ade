"""Groups of texts with the same value of a column, such as a thread or a product."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

Member = tuple[int, list[str]]  # place of a text in its group, and the distinct texts of the group


def values(corpus: pd.DataFrame) -> pd.Series:
    """Return the group of every text; all are missing if the corpus has no such column."""
    return corpus["group"] if "group" in corpus else pd.Series(None, index=corpus.index, dtype=object)


def members(corpus: pd.DataFrame) -> list[list[Member]]:
    """Return, for every text, its place in its group as the only entry; empty without another text in the group.

    Texts of a group share one list. Identical texts count once.
    """
    texts, found = corpus["text"].to_numpy(), [[] for _ in range(len(corpus))]
    for positions in corpus.groupby(values(corpus).to_numpy()).indices.values():
        places = {text: place for place, text in enumerate(dict.fromkeys(texts[positions]))}
        if len(places) > 1:
            distinct = list(places)
            for position in positions:
                found[position] = [(places[texts[position]], distinct)]
    return found


def summary(corpus: pd.DataFrame) -> dict[str, int]:
    """Return the numbers of groups of two texts or more, and of texts in them, alone in their group, and without one.

    Identical texts of a group count as one, and are alone without other texts.
    """
    known = values(corpus)
    paired = np.array([bool(found) for found in members(corpus)], dtype=bool)
    return {
        "groups": int(known[paired].nunique()),
        "texts with another one": int(paired.sum()),
        "alone in their group": int((known.notna() & ~paired).sum()),
        "without a group": int(known.isna().sum()),
    }


def spread(groups: Sequence[str] | np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return a random order of texts in which those of a group are as far apart as possible.

    The texts of every group, in random order, lie at equal distances from a random start. So of groups of one size, no
    two texts of a group are closer than the number of groups.

    Args:
        groups: the group of every text; none is missing.

    Returns positions, shape (texts,).
    """
    shuffled = generator.permutation(len(groups))
    _, group, sizes = np.unique(np.asarray(groups, dtype=str)[shuffled], return_inverse=True, return_counts=True)
    place = pd.Series(group).groupby(group).cumcount().to_numpy()
    return shuffled[np.argsort((place + generator.random(len(sizes))[group]) / sizes[group], kind="stable")]
