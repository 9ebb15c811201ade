"""Real texts to measure on: a corpus file of one's own, or the docstrings of installed packages."""

from pathlib import Path

import pandas as pd

from selfembed import corpora, python_docs


def add_arguments(parser, texts: int) -> None:
    """Arguments that every script with real texts has."""
    parser.add_argument("--corpus", type=Path, help="csv, tsv, jsonl or parquet file; default: docstrings of sympy")
    parser.add_argument("--column", default="text", help="its column with texts")
    parser.add_argument("--texts", type=int, default=texts, help="texts of it")


def read(arguments) -> pd.DataFrame:
    """The first texts: columns `id` and `text`; docstrings have at least 700 characters."""
    if arguments.corpus:
        table = corpora.read_source(arguments.corpus, text=arguments.column)
        table, _ = corpora.prepare(table)
    else:
        table, _ = corpora.prepare(
            python_docs.extract(["sympy", "networkx", "scipy", "sklearn"]).assign(id=None, label=None),
            minimum_length=700,
        )
    return table.head(arguments.texts)[["id", "text"]]
