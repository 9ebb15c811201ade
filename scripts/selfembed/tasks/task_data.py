"""Data of MTEB tasks in mteb's in-memory layout."""

import pandas as pd
from datasets import Dataset


def classification(train: pd.DataFrame, test: pd.DataFrame) -> dict:
    """Training and test texts (columns `text`, `label`); labels become integers, because mteb fails on two strings."""
    parts = pd.concat({"train": train, "test": test})[["text", "label"]]
    parts["label"] = pd.factorize(parts["label"].map(str), sort=True)[0]
    return {name: Dataset.from_pandas(parts.loc[name], preserve_index=False) for name in ("train", "test")}


def retrieval(documents: pd.DataFrame, queries: pd.DataFrame, relevant: dict, ranked: dict | None) -> dict:
    """Documents (columns `id`, `text`, `title`), queries (`id`, `text`), relevance, and reranking candidates."""
    data = {
        "corpus": Dataset.from_pandas(documents, preserve_index=False),
        "queries": Dataset.from_pandas(queries, preserve_index=False),
        "relevant_docs": relevant,
        "top_ranked": ranked,
    }
    return {"default": {"test": data}}
