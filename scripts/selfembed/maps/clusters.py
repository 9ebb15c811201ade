"""Clusters of a corpus and their names.

Clusters are computed from the embeddings, not from the t-SNE map: t-SNE splits groups, and its distances are hard to
interpret. k-means is used instead of HDBSCAN, which finds few clusters in hundreds of dimensions and leaves many
texts unassigned.
"""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer

from selfembed.embeddings import bags_of_words
from selfembed.errors import InputError
from selfembed.maps.sampling import random_rows
from selfembed.texts.sentences import needs_dictionary

FEWEST_TEXTS = 10  # as for a map
MOST_CLUSTERS = 50  # distinguishable colours
SEED = 42  # of the initial centres
SAMPLE = 100_000  # texts used to fit centres and names
CHARACTERS = 2000  # of a text that words are taken from
WORDS = 3  # in a name
WORD = r"(?u)\b[^\W\d_][\w'’-]+\b"  # begins with a letter; two characters or more
ADDRESS = r"(?:https?://|www\.)\S+"


def number_of_clusters(texts: int) -> int:
    """1.5 times the cube root of the number of texts: 6 for 50, 15 for 1,000, 32 for 10,000; at most 50."""
    return min(MOST_CLUSTERS, max(2, round(1.5 * texts ** (1 / 3))))


def cluster(embeddings: np.ndarray, count: int) -> np.ndarray:
    """Assign each text to a cluster by k-means on embeddings that are centred and scaled to unit length.

    Embeddings of most language models share one large direction, which centring removes. Centres are fitted on a random
    sample of at most 100,000 texts to bound time and memory. Results are reproducible on one thread only.

    Args:
        embeddings: shape (texts, dim).
        count: number of clusters; fewer if there are fewer distinct embeddings.

    Returns int32, shape (texts,): 0 is the largest cluster.

    Raises InputError if there are fewer than 10 texts or embeddings contain NaN or infinity.
    """
    if len(embeddings) < FEWEST_TEXTS:
        raise InputError(f"{len(embeddings)} texts are too few for clusters; expected: at least {FEWEST_TEXTS}")
    vectors = unit_vectors(embeddings)
    sample = vectors[random_rows(len(vectors), SAMPLE)]
    count = min(count, len(np.unique(sample, axis=0)))
    means = KMeans(count, n_init=3, max_iter=100, random_state=SEED).fit(sample)
    return by_size(means.predict(vectors))


def unit_vectors(embeddings: np.ndarray) -> np.ndarray:
    """Centred embeddings of unit length, float32; zero vectors stay zero."""
    vectors = np.asarray(embeddings, dtype=np.float32) - np.mean(embeddings, axis=0, dtype=np.float64).astype(
        np.float32
    )
    if not np.isfinite(vectors).all():
        raise InputError("embeddings contain NaN or infinity; expected: finite numbers")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=vectors, where=lengths > 0)


def by_size(labels: np.ndarray) -> np.ndarray:
    """Renumber labels by decreasing frequency; ties keep the order of the texts."""
    _, first, inverse, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    ranks = np.empty(len(sizes), dtype=np.int32)
    ranks[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return ranks[inverse]


def describe(texts: pd.Series, clusters: np.ndarray) -> pd.DataFrame:
    """Names and sizes of clusters: columns `cluster`, `name` and `texts`, one row per cluster.

    A name consists of the three words with the highest weights, such as `graph, node, edge`. Names are unique.
    """
    rows = random_rows(len(texts), SAMPLE)
    words = ranked_words(
        texts.iloc[rows].str[:CHARACTERS].str.replace(ADDRESS, " ", regex=True), clusters[rows], clusters.max() + 1
    )
    return pd.DataFrame({"cluster": np.arange(len(words)), "name": unique_names(words), "texts": np.bincount(clusters)})


def ranked_words(texts: pd.Series, clusters: np.ndarray, count: int) -> list[list[str]]:
    """Words of each cluster by decreasing class-based TF-IDF; empty if a cluster has no characteristic words.

    The weight of word t in cluster c is tf(t, c) · log(1 + A / f(t)): tf is its share of the words of the cluster, f
    its frequency in all clusters, A the mean number of words per cluster (Grootendorst 2022, BERTopic,
    arXiv:2203.05794, eq. 2, with tf normalised as in that author's code). A word counts once per text. English stop
    words, words of a single text, and words in more than a quarter of the texts, or in more texts than a cluster of
    mean size has, are excluded.
    """
    how: dict[str, Any] = {"token_pattern": WORD}
    if needs_dictionary(texts.tolist()):
        how = {"tokenizer": long_words, "token_pattern": None}
    vectorizer = CountVectorizer(stop_words="english", binary=True, dtype=np.float64, **how)
    try:
        found = vectorizer.fit_transform(texts)
    except ValueError:  # no text contains a word
        return [[] for _ in range(count)]
    frequency = np.asarray(found.sum(axis=0)).ravel()
    kept = (frequency >= 2) & (frequency <= len(texts) * max(1 / 4, 1 / count))
    vocabulary = vectorizer.get_feature_names_out()[kept]
    totals = np.stack([np.asarray(found[clusters == number].sum(axis=0)).ravel()[kept] for number in range(count)])
    sizes = totals.sum(axis=1, keepdims=True)
    parts = np.divide(totals, sizes, out=np.zeros_like(totals), where=sizes > 0)
    weights = parts * np.log1p(sizes.mean() / frequency[kept])
    orders = np.argsort(-weights, axis=1, kind="stable")
    return [
        [vocabulary[word] for word in order if weight[word] > 0] for order, weight in zip(orders, weights, strict=True)
    ]


def long_words(text: str) -> list[str]:
    """Return the words of two or more characters that begin with a letter."""
    return [word for word in bags_of_words.words(text) if len(word) > 1 and word[0].isalpha()]


def unique_names(words: list[list[str]]) -> list[str]:
    """A name of three words for each cluster; a further word or a number makes it unique."""
    names: dict[str, None] = {}
    for number, candidates in enumerate(words, start=1):
        names[next(name for name in possible_names(candidates, number) if name not in names)] = None
    return list(names)


def possible_names(candidates: list[str], number: int) -> Iterator[str]:
    """Candidate names of a cluster, best first."""
    chosen = distinct(candidates)
    if chosen:
        yield ", ".join(chosen[:WORDS])
        yield ", ".join(chosen[: WORDS + 1])
    yield ", ".join([*chosen[:WORDS], f"cluster {number}"])


def distinct(words: list[str]) -> list[str]:
    """The first four words that are not inflections of each other: graph, but not graphs or graph's."""
    chosen: list[str] = []
    for word in words:
        if not any(alike(word, other) for other in chosen):
            chosen.append(word)
        if len(chosen) == WORDS + 1:
            break
    return chosen


def alike(one: str, other: str) -> bool:
    """Whether one word starts with the other and has at most three more letters: network, networks, networking."""
    shorter, longer = sorted((re.sub(r"(?<=..)(e|s|es|y)$", "", word) for word in (one, other)), key=len)
    return longer.startswith(shorter) and len(longer) - len(shorter) <= 3
