"""Data of MTEB tasks in the layout in which mteb evaluates them."""

import pandas as pd
from datasets import Dataset


def classification(train: pd.DataFrame, test: pd.DataFrame) -> dict:
    """Texts to learn from and to classify (columns `text`, `label`); labels are numbers: mteb fails on two words."""
    parts = pd.concat({"train": train, "test": test})[["text", "label"]]
    parts["label"] = pd.factorize(parts["label"].map(str), sort=True)[0]
    return {name: Dataset.from_pandas(parts.loc[name], preserve_index=False) for name in ("train", "test")}


def retrieval(documents: pd.DataFrame, queries: pd.DataFrame, relevant: dict, ranked: dict | None) -> dict:
    """Documents (columns `id`, `text`, `title`), queries (`id`, `text`), their relevance, and candidates to rerank."""
    data = {
        "corpus": Dataset.from_pandas(documents, preserve_index=False),
        "queries": Dataset.from_pandas(queries, preserve_index=False),
        "relevant_docs": relevant,
        "top_ranked": ranked,
    }
    return {"default": {"test": data}}
