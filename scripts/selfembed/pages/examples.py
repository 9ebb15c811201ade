"""Examples of search: queries, and the texts that two models find first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.preprocessing import normalize

NUMBER = 5
FOUND = 3
CHARACTERS = 160


@dataclass(frozen=True)
class Found:
    """A text that a model found, shortened, and whether it is the right one."""

    text: str
    is_right: bool


@dataclass(frozen=True)
class Example:
    """A query, and the texts that are found first before and after; `after` is empty without a second model."""

    query: str
    before: list[Found]
    after: list[Found]


def examples(corpus: pd.DataFrame, before: np.ndarray, after: np.ndarray | None) -> list[Example]:
    """Return the queries whose right texts change their ranks most, half of them upwards and half downwards.

    Without a second model, or if too few ranks change, further queries are evenly spaced.

    Args:
        corpus: texts of a corpus of pairs, the query and the text to find in turn.
        before, after: vectors of both models, shape (texts of the corpus, dim).
    """
    queries, texts = corpus["text"].iloc[::2].tolist(), corpus["text"].iloc[1::2].tolist()
    ranked = [ranking(vectors) for vectors in (before, after) if vectors is not None]
    ranks = [np.argmax(order == np.arange(len(order))[:, None], axis=1) for order in ranked]
    spread = np.linspace(0, len(queries) - 1, NUMBER).astype(int)
    if len(ranks) == 1:
        chosen = spread
    else:
        gains = np.log1p(ranks[0]) - np.log1p(ranks[1])
        order = np.argsort(-gains, kind="stable")
        up, down = order[gains[order] > 0][: NUMBER // 2 + 1], order[gains[order] < 0][::-1][: NUMBER // 2]
        chosen = np.array(list(dict.fromkeys([*up, *down, *spread]))[:NUMBER])
    return [
        Example(
            shortened(queries[query]),
            *(
                [Found(shortened(texts[text]), bool(text == query)) for text in order[query, :FOUND]]
                for order in (ranked if len(ranked) == 2 else [*ranked, ranked[0][:, :0]])
            ),
        )
        for query in chosen
    ]


def ranking(vectors: np.ndarray) -> np.ndarray:
    """Return for every query the positions of all texts by descending cosine, shape (pairs, pairs)."""
    unit = normalize(np.asarray(vectors, dtype=np.float64))
    return np.argsort(-(unit[::2] @ unit[1::2].T), axis=1, kind="stable")


def shortened(text: str) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS].rstrip()}…"
