"""Data of local MTEB tasks, made from a labelled corpus; texts with equal labels count as similar.

Each function takes the labelled texts and a random generator. Equal corpora give equal data.
"""

import numpy as np
import pandas as pd
from datasets import Dataset

from selfembed.errors import InputError
from selfembed.jobs.command_line import log
from selfembed.tasks import task_data
from selfembed.texts.splits import split

SEED = 42
LARGEST = 1000  # pairs or queries
CANDIDATES = 10  # texts to rerank for a query


def clustering(corpus: pd.DataFrame, generator: np.random.Generator) -> dict:
    """One set with all texts and labels."""
    return {"test": Dataset.from_dict({"sentences": [corpus["text"].tolist()], "labels": [corpus["label"].tolist()]})}


def classification(corpus: pd.DataFrame, generator: np.random.Generator) -> dict:
    """Half of the texts for training, half for testing.

    Raises InputError if no test text has a class of the training texts, or if these have one class.
    """
    train, test = (corpus.iloc[part] for part in split(len(corpus), 0.5, SEED))
    unknown = ~test["label"].isin(train["label"])
    if unknown.all() or train["label"].nunique() < 2:
        raise InputError("classes are too rare to train on half of the texts; expected: classes with several texts")
    if unknown.any():
        log.warning("%d of %d test texts are of classes without training texts", unknown.sum(), len(test))
    return task_data.classification(train, test)


def sts(corpus: pd.DataFrame, generator: np.random.Generator) -> dict:
    """Pairs of texts, alternately with equal labels (score 1) and different labels (score 0).

    Raises InputError if all pairs are of one sort.
    """
    pairs = []
    for number, position in enumerate(generator.permutation(len(corpus))[:LARGEST]):
        same = number % 2 == 0
        partners = others(corpus, position, same)
        if partners.size:
            partner = generator.choice(partners)
            first, second = corpus["text"][position], corpus["text"][partner]
            pairs.append({"sentence1": first, "sentence2": second, "score": float(same)})
    if len({pair["score"] for pair in pairs}) < 2:
        raise InputError("labels are too rare for pairs with equal labels; expected: labels with several texts")
    return {"test": Dataset.from_list(pairs)}


def retrieval(corpus: pd.DataFrame, generator: np.random.Generator) -> dict:
    """Titles are queries; the relevant document of a title is its text.

    Raises InputError if no text has a title.
    """
    titled = np.flatnonzero(corpus["title"].notna())
    if not titled.size:
        raise InputError("no text has a title; retrieval needs titles")
    queries = generator.permutation(titled)[:LARGEST]
    relevant = {f"q{position}": {f"d{position}": 1} for position in queries}
    return search(corpus, queries, corpus["title"], relevant, None)


def reranking(corpus: pd.DataFrame, generator: np.random.Generator) -> dict:
    """Texts are queries; up to three of ten candidates have the label of the query."""
    relevant, ranked = {}, {}
    for position in generator.permutation(len(corpus))[:LARGEST]:
        alike, different = others(corpus, position, True), others(corpus, position, False)
        if not alike.size or not different.size:
            continue
        good = generator.choice(alike, min(3, alike.size), replace=False)
        bad = generator.choice(different, min(CANDIDATES - good.size, different.size), replace=False)
        relevant[f"q{position}"] = {f"d{place}": 1 for place in good}
        ranked[f"q{position}"] = [f"d{place}" for place in generator.permutation(np.concatenate([good, bad]))]
    queries = [int(name[1:]) for name in relevant]
    return search(corpus, queries, corpus["text"], relevant, ranked)


def others(corpus: pd.DataFrame, position: int, same: bool) -> np.ndarray:
    """Positions of the other texts with the same label, or with another label."""
    alike = (corpus["label"] == corpus["label"][position]).to_numpy()
    found = np.flatnonzero(alike == same)
    return found[found != position]


def search(corpus: pd.DataFrame, queries, texts: pd.Series, relevant: dict, ranked: dict | None) -> dict:
    """All texts as documents; the given texts or titles as queries."""
    documents = {"id": [f"d{position}" for position in range(len(corpus))], "text": corpus["text"], "title": ""}
    asked = {"id": [f"q{position}" for position in queries], "text": [texts[position] for position in queries]}
    return task_data.retrieval(pd.DataFrame(documents), pd.DataFrame(asked), relevant, ranked)


MAKERS = {
    "clustering": clustering,
    "classification": classification,
    "sts": sts,
    "retrieval": retrieval,
    "reranking": reranking,
}


def make(kind: str, corpus: pd.DataFrame) -> dict:
    """Make the data of a task of a kind, in mteb's layout.

    Raises InputError if the corpus has fewer than 20 labelled texts, fewer than two labels, or no label that texts
    share.
    """
    labelled = corpus[corpus["label"].notna()].reset_index(drop=True)
    labels = labelled["label"].nunique()
    if len(labelled) < 20 or labels < 2:
        raise InputError(f"{len(labelled)} labelled texts are too few; expected: at least 20 texts and 2 labels")
    if labels == len(labelled) and kind != "retrieval":
        raise InputError(f"each of {labels} labelled texts has its own label; expected: labels that texts share")
    return MAKERS[kind](labelled, np.random.default_rng(SEED))
