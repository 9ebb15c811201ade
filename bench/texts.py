"""Real texts to measure on: a corpus file of one's own, or the docstrings of installed packages."""

from pathlib import Path

import numpy as np
import pandas as pd

from selfembed.augmentations import crops
from selfembed.jobs.options import defaults
from selfembed.settings.base import Packs
from selfembed.settings.corpora import Columns, Corpus
from selfembed.settings.recipes import Recipe
from selfembed.texts import corpora, python_docs

CLEANING = defaults(Columns, "unlabelled") | defaults(
    Corpus, "minimum_length", "minimum_label_count", "deduplicate", "sentences", "drop_repeated"
)


def add_arguments(parser, texts: int) -> None:
    """Arguments that every script with real texts has."""
    parser.add_argument("--corpus", type=Path, help="csv, tsv, jsonl or parquet file; without: docstrings of packages")
    parser.add_argument("--column", default="text", help="its column with texts")
    parser.add_argument("--texts", type=int, default=texts, help="texts of it")


def read(arguments) -> pd.DataFrame:
    """The first texts: columns `id` and `text`; docstrings have at least 700 characters."""
    if arguments.corpus:
        table = corpora.read_source(arguments.corpus, text=arguments.column)
        table, _ = corpora.prepare(table, **CLEANING)
    else:
        table, _ = corpora.prepare(
            python_docs.extract(["sympy", "networkx", "scipy", "sklearn"]).assign(id=None, label=None),
            **CLEANING | {"minimum_length": 700},
        )
    return table.head(arguments.texts)[["id", "text"]]


def crop_pairs(corpus: pd.DataFrame, **limits: int) -> pd.DataFrame:
    """The pairs of one run by crops, with the settings' defaults for the rest."""
    chosen = defaults(Packs) | defaults(Recipe, "epochs", "held_out") | limits
    return crops.make_pairs(corpus, "crops", seed=42, **chosen)


def many(texts: int, seed: int = 0) -> pd.DataFrame:
    """As many texts as wanted, columns `id`, `text`, `label`: five docstrings of one package each, drawn at random.

    Words have the frequencies of real texts, and lengths (about 1,500 characters) those of abstracts.
    """
    pieces = python_docs.extract(["sympy", "networkx", "scipy", "sklearn", "pandas", "numpy", "torch"])
    pieces = pieces[pieces["text"].str.len() > 100].reset_index(drop=True)
    generator = np.random.default_rng(seed)
    groups = [found.to_numpy() for _, found in pieces.groupby("package")["text"]]
    sizes = np.array([len(found) for found in groups])
    labels = generator.choice(len(groups), texts, p=sizes / sizes.sum())
    joined = [" ".join(generator.choice(groups[label], 5)) for label in labels]
    return pd.DataFrame({"id": np.arange(texts).astype(str), "text": joined, "label": labels.astype(str)})
