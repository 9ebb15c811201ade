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
    first, second = ranking(before), None if after is None else ranking(after)

    def found(order: np.ndarray | None, query: int) -> list[Found]:
        positions = [] if order is None else order[query, :FOUND]
        return [Found(shortened(texts[text]), bool(text == query)) for text in positions]

    chosen = [] if second is None else most_changed(first, second)
    chosen += np.linspace(0, len(queries) - 1, NUMBER).astype(int).tolist()
    return [
        Example(shortened(queries[query]), found(first, query), found(second, query))
        for query in list(dict.fromkeys(chosen))[:NUMBER]
    ]


def most_changed(first: np.ndarray, second: np.ndarray) -> list[int]:
    """Return the queries whose right texts rise most from one ranking to another, then those whose texts fall most."""
    gains = np.log1p(ranks(first)) - np.log1p(ranks(second))
    order = np.argsort(-gains, kind="stable")
    up, down = order[gains[order] > 0], order[gains[order] < 0][::-1]
    return [*up[: NUMBER // 2 + 1].tolist(), *down[: NUMBER // 2].tolist()]


def ranks(order: np.ndarray) -> np.ndarray:
    """Return the rank of the right text of every query, from 0, shape (pairs,)."""
    return np.argmax(order == np.arange(len(order))[:, None], axis=1)


def ranking(vectors: np.ndarray) -> np.ndarray:
    """Return for every query the positions of all texts by descending cosine, shape (pairs, pairs)."""
    unit = normalize(np.asarray(vectors, dtype=np.float64))
    return np.argsort(-(unit[::2] @ unit[1::2].T), axis=1, kind="stable")


def shortened(text: str) -> str:
    """Return the beginning of a text."""
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS].rstrip()}…"
