"""Clusters of a corpus, named by their own words.

Clusters are of the embeddings in all their dimensions, not of the t-SNE map: t-SNE tears groups apart and its distances
mean little, so clusters of a map would be as much the map's as the texts'. And they are k-means' and not HDBSCAN's,
which finds next to nothing in hundreds of dimensions and leaves many texts without a cluster.
"""

import re
from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.feature_extraction.text import CountVectorizer

from selfembed.errors import InputError

FEWEST_TEXTS = 10  # as of a map
MOST_CLUSTERS = 50  # colours that can still be told apart
SEED = 42  # of the sample and of the first centres
SAMPLE = 100_000  # texts that centres and names are learnt from
CHARACTERS = 2000  # of a text that its words are taken from
WORDS = 3  # of a name
WORD = r"(?u)\b[^\W\d_][\w'’-]+\b"  # begins with a letter; two characters or more
ADDRESS = r"(?:https?://|www\.)\S+"


def number_of_clusters(texts: int) -> int:
    """1.5 times the cube root of the number of texts: 6 for 50, 15 for 1,000, 32 for 10,000; at most 50."""
    return min(MOST_CLUSTERS, max(2, round(1.5 * texts ** (1 / 3))))


def cluster(embeddings: np.ndarray, count: int, *, seed: int) -> np.ndarray:
    """The cluster of every text, by k-means of the embeddings, centred and scaled to unit length.

    Centred, because the embeddings of most language models share one large direction. The centres are those of a
    random sample of at most 100,000 texts, so that time and memory stay bounded.

    Args:
        embeddings: shape (texts, dim).
        count: clusters asked for; there are fewer where fewer embeddings differ.
        seed: of the sample and of the first centres. The same seed gives the same clusters on one thread only.

    Returns int32, shape (texts,): numbers from 0, from the largest cluster to the smallest.

    Raises InputError if there are fewer than 10 texts or an embedding is not finite.
    """
    if len(embeddings) < FEWEST_TEXTS:
        raise InputError(f"{len(embeddings)} texts are too few for clusters; needed: {FEWEST_TEXTS}")
    vectors = unit_vectors(embeddings)
    sample = vectors[random_rows(len(vectors), seed)]
    count = min(count, len(np.unique(sample, axis=0)))
    means = KMeans(count, n_init=3, max_iter=100, random_state=seed).fit(sample)
    return by_size(means.predict(vectors))


def unit_vectors(embeddings: np.ndarray) -> np.ndarray:
    """Centred embeddings of length 1, float32; what lies at the centre stays there."""
    vectors = np.asarray(embeddings, dtype=np.float32) - np.mean(embeddings, axis=0, dtype=np.float64).astype(
        np.float32
    )
    if not np.isfinite(vectors).all():
        raise InputError("embeddings are not finite; needed: numbers")
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=vectors, where=lengths > 0)


def random_rows(rows: int, seed: int) -> np.ndarray:
    """Positions of at most 100,000 rows, in order."""
    if rows <= SAMPLE:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, SAMPLE, replace=False))


def by_size(labels: np.ndarray) -> np.ndarray:
    """Labels renumbered from the most frequent to the least; equally frequent ones in the order of their texts."""
    _, first, inverse, sizes = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    ranks = np.empty(len(sizes), dtype=np.int32)
    ranks[np.lexsort((first, -sizes))] = np.arange(len(sizes))
    return ranks[inverse]


def describe(texts: pd.Series, clusters: np.ndarray, *, seed: int) -> pd.DataFrame:
    """What clusters are called: columns `cluster`, `name` and `texts`, their number; a row per cluster.

    A name is the three words that weigh most, `graph, node, edge`; no two clusters share one.
    """
    rows = random_rows(len(texts), seed)
    words = ranked_words(
        texts.iloc[rows].str[:CHARACTERS].str.replace(ADDRESS, " ", regex=True), clusters[rows], clusters.max() + 1
    )
    return pd.DataFrame({"cluster": np.arange(len(words)), "name": unique_names(words), "texts": np.bincount(clusters)})


def ranked_words(texts: pd.Series, clusters: np.ndarray, count: int) -> list[list[str]]:
    """The words of every cluster, by class TF-IDF, the highest first; none where no word is the cluster's own.

    A word t weighs tf(t, c) · log(1 + A / f(t)) in the cluster c: tf is its part of the cluster's words, f how often it
    is in all clusters, A the mean number of words of a cluster (Grootendorst 2022, BERTopic, arXiv:2203.05794, eq. 2,
    with tf normalised as in that author's code). A word counts once per text, so that one long text names nothing.
    English stop words are left out, words of a single text, and words in more than a quarter of the texts, or in more
    than a cluster of mean size has.
    """
    vectorizer = CountVectorizer(stop_words="english", token_pattern=WORD, binary=True, dtype=np.float64)
    try:
        found = vectorizer.fit_transform(texts)
    except ValueError:  # no text has a word
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


def unique_names(words: list[list[str]]) -> list[str]:
    """A name of three words for every cluster; one more word, or a number, where a name is taken."""
    names: dict[str, None] = {}
    for number, candidates in enumerate(words, start=1):
        names[next(name for name in possible_names(candidates, number) if name not in names)] = None
    return list(names)


def possible_names(candidates: list[str], number: int) -> Iterator[str]:
    """Names that a cluster could have, the best first."""
    chosen = distinct(candidates)
    if chosen:
        yield ", ".join(chosen[:WORDS])
        yield ", ".join(chosen[: WORDS + 1])
    yield ", ".join([*chosen[:WORDS], f"cluster {number}"])


def distinct(words: list[str]) -> list[str]:
    """The first four words of which none is another with a different ending: graph, but not graphs or graph's."""
    chosen: list[str] = []
    for word in words:
        if not any(alike(word, other) for other in chosen):
            chosen.append(word)
        if len(chosen) == WORDS + 1:
            break
    return chosen


def alike(one: str, other: str) -> bool:
    """Whether two words have the same beginning and at most three letters more: network, networks, networking."""
    shorter, longer = sorted((re.sub(r"(?<=..)(e|s|es|y)$", "", word) for word in (one, other)), key=len)
    return longer.startswith(shorter) and len(longer) - len(shorter) <= 3
