"""Descriptions of corpora."""

import numpy as np
import pandas as pd
import pytest
from with_defaults import labelled_split

import describe_corpus


def description(folder, labels, *arguments):
    """What the script writes about a corpus with these labels."""
    corpus = pd.DataFrame({"id": range(len(labels)), "text": "ab", "label": labels, "title": None}).astype({"id": str})
    corpus.to_parquet(folder / "notes.parquet")
    paths = f"--corpus {folder}/notes.parquet --output {folder}/row.csv --classes {folder}/classes.csv".split()
    describe_corpus.main([*paths, *arguments])
    return pd.read_csv(folder / "row.csv").iloc[0]


@pytest.mark.parametrize(
    ("split", "fraction", "seed"), [("labelled", 0.1, 42), ("labelled", 0.2, 42), ("all", 0.1, 42), ("all", 0.1, 23)]
)
def test_test_texts_are_those_of_the_score(tmp_path, split, fraction, seed):
    labels = np.array([None if place % 3 == 0 else "ab"[place % 2] for place in range(101)], dtype=object)
    words = ["--split", split, "--test-fraction", str(fraction), "--split-seed", str(seed)]
    row = description(tmp_path, labels, *words)
    assert (row["texts"], row["labelled"], row["classes"]) == (101, 67, 2)
    assert row["knn_test_size"] == len(labelled_split(pd.notna(labels), split, fraction, seed)[1])


@pytest.mark.parametrize("labels", [[None] * 5, [None, "a", None]])
def test_a_corpus_with_too_few_labels_is_described_without_test_texts(tmp_path, labels):
    row = description(tmp_path, labels)
    assert (row["texts"], row["knn_test_size"]) == (len(labels), 0)
