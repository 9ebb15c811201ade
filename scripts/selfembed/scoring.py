"""The protocol that all scores on corpora share: which texts train, which are tested, and what a score row says."""

import argparse
from collections.abc import Callable

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, issparse
from threadpoolctl import threadpool_limits

from selfembed import model_paths, vectors
from selfembed.command_line import at_least, existing, log, part
from selfembed.corpora import read_corpus
from selfembed.errors import InputError
from selfembed.records import read_json
from selfembed.splits import split
from selfembed.tables import SCORE_COLUMNS

Predict = Callable[[np.ndarray | csr_matrix, np.ndarray, np.ndarray | csr_matrix], np.ndarray]
Transform = Callable[[np.ndarray | csr_matrix], np.ndarray | csr_matrix]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that every script for a score on corpora has."""
    parser.add_argument("--embeddings", type=existing, required=True, help="embeddings folder")
    parser.add_argument("--corpus", type=existing, required=True, help="prepared corpus (Parquet)")
    parser.add_argument("--model", required=True, help="model path, for instance tuned/iclr/mpnet/crops/seed-42")
    parser.add_argument("--step", required=True, help="step of the model")
    parser.add_argument("--score", required=True, help="name of the score in tables")
    add_split_arguments(parser)
    parser.add_argument("--threads", type=at_least(1), default=1, help="CPU threads")
    parser.add_argument("--output", required=True, help="CSV file to write")


def add_split_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that decide which texts are tested."""
    parser.add_argument("--split", choices=["labelled", "all"], default="labelled", help="which texts are split")
    parser.add_argument("--test-fraction", type=part, default=0.1, help="part of the texts that is tested")
    parser.add_argument("--split-seed", type=at_least(0), default=42, help="seed of the split")


def labelled_split(
    labelled: np.ndarray, what: str = "labelled", test_fraction: float = 0.1, seed: int = 42
) -> tuple[np.ndarray, np.ndarray]:
    """Positions among the labelled texts of those that train and those that are tested.

    Args:
        labelled: whether each text of the corpus has a label, shape (texts,).
        what: `labelled` splits the labelled texts; `all` splits all texts and then keeps the labelled ones, so that the
            test texts are among those that a run with `held_out` has not seen.

    Raises InputError if there are too few texts.
    """
    texts = np.flatnonzero(labelled) if what == "labelled" else np.arange(len(labelled))
    try:
        parts = split(len(texts), test_fraction, seed)
    except ValueError as error:
        raise InputError(f"{len(texts)} {what} texts cannot be split: {error}") from error
    rank = np.cumsum(labelled) - 1
    train, test = (rank[positions[labelled[positions]]] for positions in (texts[part] for part in parts))
    if not len(train) or not len(test):
        raise InputError(f"{labelled.sum()} labelled texts are too few for a training and a test part")
    return train, test


def accuracy(
    embeddings: np.ndarray | csr_matrix, labels: np.ndarray, train: np.ndarray, test: np.ndarray, predict: Predict
) -> dict[str, float | int]:
    """Part of the test texts that gets the right label, with its binomial standard error.

    Args:
        embeddings: shape (texts, dim); labels: shape (texts,), none missing; train, test: positions.

    Returns `value` and `standard_error` (both as fractions of 1), `n_train`, `n_test`, `n_classes`.

    Raises InputError if embeddings hold NaN or infinity, or if all training texts are of one class.
    """
    if len(np.unique(labels[train])) < 2:
        raise InputError(f"all labelled training texts are of class '{labels[train][0]}'; needed: two classes or more")
    values = embeddings.data if issparse(embeddings) else embeddings
    if not np.isfinite(values).all():
        raise InputError("embeddings hold NaN or infinite values; the model is broken (was its training stable?)")
    predicted = predict(embeddings[train], labels[train], embeddings[test])
    value = float(np.mean(predicted == labels[test]))
    return {
        "value": value,
        "standard_error": float(np.sqrt(value * (1 - value) / len(test))),
        "n_train": len(train),
        "n_test": len(test),
        "n_classes": len(np.unique(labels)),
    }


def score(
    arguments: argparse.Namespace,
    settings: dict,
    predict: Predict,
    transform: Transform = lambda embeddings: embeddings,
) -> pd.DataFrame:
    """Score rows of every pooling and layer in an embeddings folder.

    Args:
        arguments: those of `add_arguments`.
        settings: what else decides the score, for the rows' column `settings`.
        transform: applied to the embeddings of all labelled texts.

    Raises InputError if no text has a label.
    """
    labels = read_corpus(arguments.corpus)["label"]
    labelled = labels.notna().to_numpy()
    if not labelled.any():
        raise InputError(f"{arguments.corpus}: no text has a label, which accuracy needs")
    train, test = labelled_split(labelled, arguments.split, arguments.test_fraction, arguments.split_seed)
    settings |= {key: getattr(arguments, key) for key in ("split", "test_fraction", "split_seed")}
    facts = read_json(arguments.embeddings / "embeddings.json", "poolings", "layers", "last_layer")
    rows = []
    for row, pooling in enumerate(facts["poolings"]):
        for column, layer in enumerate(facts["layers"]):
            with threadpool_limits(arguments.threads):
                embeddings = transform(vectors.load(arguments.embeddings, row, column, labelled))
                scored = accuracy(embeddings, labels[labelled].to_numpy(dtype=str), train, test, predict)
            identity = {
                "corpus": arguments.corpus.stem,
                **model_paths.identity(arguments.model),
                "step": arguments.step,
                "layer": layer,
                "last_layer": facts["last_layer"],
                "pooling": pooling,
                "score": arguments.score,
                "settings": " ".join(f"{key}={value}" for key, value in settings.items()),
            }
            rows.append(identity | scored)
            log.info("%s, layer %d: %.4f ± %.4f", pooling, layer, scored["value"], scored["standard_error"])
    return pd.DataFrame(rows, columns=SCORE_COLUMNS)
