"""A small labelled corpus for MTEB tasks, and what the data of a task hold."""

import pandas as pd
from small_models import text


def corpus_of(n_texts: int = 60, n_labels: int = 3) -> pd.DataFrame:
    """Texts with labels and titles; texts of one label begin alike."""
    rows = [(str(i), text(9 + i % 7, i % n_labels * 5), f"label {i % n_labels}", text(3, i)) for i in range(n_texts)]
    return pd.DataFrame(rows, columns=["id", "text", "label", "title"])


def content(data):
    """Rows of tables instead of tables."""
    if isinstance(data, dict):
        return {name: content(part) for name, part in data.items()}
    return data.to_list() if hasattr(data, "to_list") else data
