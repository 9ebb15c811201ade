"""Protocol of scores on corpora: arguments, split into training and test texts, score rows and outcomes."""

import argparse
from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, issparse
from threadpoolctl import threadpool_limits

from selfembed.embeddings import vectors
from selfembed.errors import InputError, reword_errors
from selfembed.jobs import command_line, model_paths
from selfembed.jobs.command_line import log
from selfembed.jobs.records import read_json, write_table
from selfembed.scores import class_balance, measures, tables
from selfembed.texts import splits
from selfembed.texts.corpora import read_corpus

Vectors = np.ndarray | csr_matrix
Predict = Callable[[Vectors, np.ndarray, Vectors], np.ndarray]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that all scripts for scores on corpora share."""
    command_line.add_inputs(parser, "embeddings", "corpus")
    parser.add_argument("--model", required=True, help="model path, for instance tuned/iclr/mpnet/crops/seed-42")
    parser.add_argument("--step", required=True, help="step of the model")
    parser.add_argument("--score", required=True, help="name of the score in tables")
    command_line.add_outputs(parser, output="CSV file", outcomes="Parquet file of outcomes")


def labelled_split(
    labelled: np.ndarray, *, split: str, test_fraction: float, split_seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the positions of training and test texts among the labelled texts.

    Args:
        labelled: whether each text of the corpus has a label, shape (texts,).
        split: `labelled` splits the labelled texts; `all` splits all texts and then keeps the labelled ones, so that
            runs with `held_out` were not trained on the test texts.

    Raises InputError if there are too few texts.
    """
    texts = np.flatnonzero(labelled) if split == "labelled" else np.arange(len(labelled))
    with reword_errors(f"{len(texts)} {split} texts cannot be split", ValueError):
        parts = splits.split(len(texts), test_fraction, split_seed)
    rank = np.cumsum(labelled) - 1
    train, test = (rank[positions[labelled[positions]]] for positions in (texts[part] for part in parts))
    if not len(train) or not len(test):
        raise InputError(f"{labelled.sum()} labelled texts are too few; expected: labelled training and test texts")
    return train, test


def check_finite(embeddings: Vectors) -> None:
    """Raise InputError if embeddings contain NaN or infinity."""
    values = embeddings.data if issparse(embeddings) else embeddings
    if not np.isfinite(values).all():
        raise InputError("embeddings contain NaN or infinite values; expected: finite values (did training diverge?)")


def summary(outcomes: np.ndarray) -> dict[str, float]:
    """Return the mean of the outcomes (`value`) and its `standard_error`; NaN without outcomes."""
    if not len(outcomes):
        return {"value": np.nan, "standard_error": np.nan}
    return {"value": float(outcomes.mean()), "standard_error": float(outcomes.std() / np.sqrt(len(outcomes)))}


def write_accuracy(
    arguments: argparse.Namespace,
    settings: dict,
    predict: Predict,
    transform: Callable[[Vectors], Vectors] = lambda embeddings: embeddings,
) -> None:
    """Write the accuracy of each pooling and layer in an embeddings folder, and whether each test text is correct.

    With `balanced`, also write the balanced accuracy, and the scores of always predicting the largest class.

    Args:
        arguments: arguments of `add_arguments`, the number of `threads`, `balanced`, and the settings of
            `labelled_split`.
        settings: further settings of the score for the column `settings`.
        predict: maps training embeddings, training labels and test embeddings to predicted labels.
        transform: applied to the embeddings of all labelled texts.

    Raises InputError if no text has a label, or if all training texts are of one class.
    """
    corpus = read_corpus(arguments.corpus)
    labelled = corpus["label"].notna().to_numpy()
    if not labelled.any():
        raise InputError(f"{arguments.corpus}: no text has a label; expected: a corpus with labels")
    parts = {key: getattr(arguments, key) for key in ("split", "test_fraction", "split_seed")}
    settings |= parts
    train, test = labelled_split(labelled, **parts)
    labels, ids = corpus["label"][labelled].to_numpy(dtype=str), corpus["id"][labelled].to_numpy()
    if len(np.unique(labels[train])) < 2:
        raise InputError(
            f"all labelled training texts are of class '{labels[train][0]}'; expected: two classes or more"
        )
    facts = {"n_train": len(train), "n_test": len(test), "n_classes": len(np.unique(labels))}

    def outcomes(correct: np.ndarray) -> dict[str, np.ndarray]:
        balanced = {measures.BALANCED: class_balance.balanced_outcomes(correct, labels[test])}
        return {measures.ACCURACY: correct} | (balanced if arguments.balanced else {})

    def measure(embeddings: Vectors) -> dict[str, np.ndarray]:
        embeddings = transform(embeddings)
        return outcomes(predict(embeddings[train], labels[train], embeddings[test]) == labels[test])

    always = outcomes(class_balance.always_largest(labels[train], labels[test], str(arguments.corpus)))
    largest = {name: by_text.mean() for name, by_text in always.items()} if arguments.balanced else None
    write_scores(arguments, settings, always, measure, labelled, ids[test], facts, largest)


def write_scores(
    arguments: argparse.Namespace,
    settings: dict,
    names: Iterable[str],
    measure: Callable[[Vectors], dict[str, np.ndarray]],
    rows: np.ndarray,
    ids: np.ndarray,
    facts: dict,
    largest_class: dict[str, float] | None = None,
) -> None:
    """Write score rows and outcomes of each pooling and layer in an embeddings folder.

    For a run that diverged, rows have no value and no standard error, and there are no outcomes.

    Args:
        arguments: arguments of `add_arguments`, and the number of `threads`.
        settings: settings of the score for the column `settings`.
        measure: maps embeddings to the outcomes of each measure, shape (test texts,).
        rows: boolean mask of the embeddings passed to `measure`, shape (texts,).
        facts: further columns of the rows.
        largest_class: the score, by measure, of always predicting the largest class, for a column of that name.

    Raises InputError if embeddings contain NaN or infinity.
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
                also = {tables.LARGEST_CLASS: largest_class[name]} if largest_class else {}
                scores.append(place | identity | scored | facts | also)
                tested = pd.Categorical(ids[: len(by_text)], categories=ids)
                outcomes.append(pd.DataFrame(place | {"id": tested, "outcome": by_text.astype(np.float32)}))
                log.info("%s, layer %d, %s: %.4f ± %.4f", *place.values(), *scored.values())
    columns = [*tables.SCORE_COLUMNS, *([tables.LARGEST_CLASS] if largest_class else [])]
    write_table(pd.DataFrame(scores, columns=columns), arguments.output)
    # Compact types: the table has one row per text, layer and pooling.
    kinds = {"pooling": "category", "layer": np.int16, "score": "category"}
    write_table(pd.concat(outcomes, ignore_index=True)[tables.OUTCOME_COLUMNS].astype(kinds), arguments.outcomes)
