"""The protocol that all scores on corpora share: which texts train, which are tested, and what a score row says."""

import argparse
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, issparse
from threadpoolctl import threadpool_limits

from selfembed.embeddings import vectors
from selfembed.errors import InputError
from selfembed.jobs import command_line
from selfembed.jobs.command_line import log
from selfembed.jobs.records import read_json, write_table
from selfembed.models import model_paths
from selfembed.scores import measures
from selfembed.scores.tables import OUTCOME_COLUMNS, SCORE_COLUMNS
from selfembed.texts import splits
from selfembed.texts.corpora import read_corpus

Predict = Callable[[np.ndarray | csr_matrix, np.ndarray, np.ndarray | csr_matrix], np.ndarray]
Transform = Callable[[np.ndarray | csr_matrix], np.ndarray | csr_matrix]
Measure = Callable[[np.ndarray | csr_matrix], dict[str, np.ndarray]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments that every script for a score on corpora has."""
    command_line.add_inputs(parser, "embeddings", "corpus")
    parser.add_argument("--model", required=True, help="model path, for instance tuned/iclr/mpnet/crops/seed-42")
    parser.add_argument("--step", required=True, help="step of the model")
    parser.add_argument("--score", required=True, help="name of the score in tables")
    command_line.add_outputs(parser, output="CSV file", outcomes="Parquet file of what every text adds")


def labelled_split(
    labelled: np.ndarray, *, split: str, test_fraction: float, split_seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Positions among the labelled texts of those that train and those that are tested.

    Args:
        labelled: whether each text of the corpus has a label, shape (texts,).
        split: `labelled` splits the labelled texts; `all` splits all texts and then keeps the labelled ones, so that
            the test texts are among those that a run with `held_out` has not seen.

    Raises InputError if there are too few texts.
    """
    texts = np.flatnonzero(labelled) if split == "labelled" else np.arange(len(labelled))
    try:
        parts = splits.split(len(texts), test_fraction, split_seed)
    except ValueError as error:
        raise InputError(f"{len(texts)} {split} texts cannot be split: {error}") from error
    rank = np.cumsum(labelled) - 1
    train, test = (rank[positions[labelled[positions]]] for positions in (texts[part] for part in parts))
    if not len(train) or not len(test):
        raise InputError(f"{labelled.sum()} labelled texts are too few for a training and a test part")
    return train, test


def correct(
    embeddings: np.ndarray | csr_matrix, labels: np.ndarray, train: np.ndarray, test: np.ndarray, predict: Predict
) -> np.ndarray:
    """Whether each test text gets the right label, boolean, shape (test texts,).

    Args:
        embeddings: shape (texts, dim); labels: shape (texts,), none missing; train, test: positions.
    """
    return predict(embeddings[train], labels[train], embeddings[test]) == labels[test]


def check_finite(embeddings: np.ndarray | csr_matrix) -> None:
    """Raise InputError if embeddings hold NaN or infinity."""
    values = embeddings.data if issparse(embeddings) else embeddings
    if not np.isfinite(values).all():
        raise InputError("embeddings hold NaN or infinite values; the model is broken (did its training diverge?)")


def summary(outcomes: np.ndarray) -> dict[str, float]:
    """`value`, the mean of what every text adds, and its `standard_error` (a binomial's, if texts add 0 or 1).

    Both are NaN without texts.
    """
    if not len(outcomes):
        return {"value": np.nan, "standard_error": np.nan}
    return {"value": float(outcomes.mean()), "standard_error": float(outcomes.std() / np.sqrt(len(outcomes)))}


def write_accuracy(
    arguments: argparse.Namespace,
    settings: dict,
    predict: Predict,
    transform: Transform = lambda embeddings: embeddings,
) -> None:
    """Write the accuracy of every pooling and layer in an embeddings folder, and which texts got the right label.

    Args:
        arguments: those of `add_arguments`, `threads` of the processor, and what `labelled_split` needs.
        settings: what else decides the score, for the rows' column `settings`.
        transform: applied to the embeddings of all labelled texts.

    Raises InputError if no text has a label, or if those to train on are of one class.
    """
    corpus = read_corpus(arguments.corpus)
    labelled = corpus["label"].notna().to_numpy()
    if not labelled.any():
        raise InputError(f"{arguments.corpus}: no text has a label; accuracy needs labels")
    parts = {key: getattr(arguments, key) for key in ("split", "test_fraction", "split_seed")}
    settings |= parts
    train, test = labelled_split(labelled, **parts)
    labels, ids = corpus["label"][labelled].to_numpy(dtype=str), corpus["id"][labelled].to_numpy()
    if len(np.unique(labels[train])) < 2:
        raise InputError(
            f"all labelled training texts are of class '{labels[train][0]}'; expected: two classes or more"
        )
    facts = {"n_train": len(train), "n_test": len(test), "n_classes": len(np.unique(labels))}

    def measure(embeddings: np.ndarray | csr_matrix) -> dict[str, np.ndarray]:
        return {measures.ACCURACY: correct(transform(embeddings), labels, train, test, predict)}

    write_scores(arguments, settings, (measures.ACCURACY,), measure, labelled, ids[test], facts)


def write_scores(
    arguments: argparse.Namespace,
    settings: dict,
    names: Iterable[str],
    measure: Measure,
    rows: np.ndarray,
    ids: np.ndarray,
    facts: dict,
) -> None:
    """Write score rows of every pooling and layer in an embeddings folder, and what every text adds to each.

    Embeddings of a run that diverged give rows without value and standard error, to which no text adds anything.

    Args:
        arguments: those of `add_arguments`, and `threads` of the processor.
        settings: what decides the score, for the rows' column `settings`.
        names: of the measures.
        measure: embeddings of the rows → by measure, what every tested text adds to its mean, shape (tested texts,).
        rows: boolean mask of the embeddings that count.
        ids: of the tested texts.
        facts: further columns of the rows.

    Raises InputError if embeddings hold NaN or infinity.
    """
    described = read_json(arguments.embeddings / "embeddings.json", "poolings", "layers", "last_layer")
    diverged = described.get("diverged")
    if diverged:
        log.warning("%s: the run diverged at step %d: no scores", arguments.model, diverged["step"])
    scores, outcomes = [], []
    for row, pooling in enumerate(described["poolings"]):
        for column, layer in enumerate(described["layers"]):
            if diverged:
                measured = dict.fromkeys(names, np.array([]))
            else:
                embeddings = vectors.load(arguments.embeddings, row, column, rows)
                check_finite(embeddings)
                with threadpool_limits(arguments.threads):
                    measured = measure(embeddings)
            for name, by_text in measured.items():
                named = {"measure": name} if name != measures.ACCURACY else {}
                place = {"pooling": pooling, "layer": layer, "score": measures.score_name(arguments.score, name)}
                identity = {
                    "corpus": arguments.corpus.stem,
                    **model_paths.identity(arguments.model),
                    "step": arguments.step,
                    "last_layer": described["last_layer"],
                    "settings": " ".join(f"{key}={value}" for key, value in (named | settings).items()),
                }
                scored = summary(by_text)
                scores.append(place | identity | scored | facts)
                tested = ids[: len(by_text)]
                by_id = {"id": pd.Categorical(tested, categories=ids), "outcome": by_text.astype(np.float32)}
                outcomes.append(pd.DataFrame(place | by_id))
                log.info(
                    "%s, layer %d, %s: %.4f ± %.4f",
                    pooling,
                    layer,
                    place["score"],
                    scored["value"],
                    scored["standard_error"],
                )
    write_table(pd.DataFrame(scores, columns=SCORE_COLUMNS), arguments.output)
    # Eleven bytes in a row: there is one for every text, layer and pooling.
    kinds = {"pooling": "category", "layer": np.int16, "score": "category"}
    write_table(pd.concat(outcomes, ignore_index=True)[OUTCOME_COLUMNS].astype(kinds), arguments.outcomes)
