"""A small labelled corpus for MTEB tasks, the files of a task, and what its data hold."""

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from small_models import text

from selfembed.tasks import benchmark


def corpus_of(n_texts: int = 60, n_labels: int = 3) -> pd.DataFrame:
    """Texts with labels and titles; texts of one label begin alike."""
    rows = [(str(i), text(9 + i % 7, i % n_labels * 5), f"label {i % n_labels}", text(3, i)) for i in range(n_texts)]
    return pd.DataFrame(rows, columns=["id", "text", "label", "title"])


def loaded(folder, poolings=("mean",), layers=(2,), max_length=64) -> benchmark.ModelVectors:
    """A saved model whose vectors are scored on tasks."""
    scratch = Path(tempfile.mkdtemp(prefix="vectors-"))
    return benchmark.load(folder, list(poolings), list(layers), max_length, scratch, "cpu", "fp32")


def score_of(folder, task, pooling="mean", layer=2, max_length=64, normalise=True) -> float:
    """The score of a saved model on a task."""
    model = loaded(folder, [pooling], [layer], max_length)
    return benchmark.evaluate(model, task, pooling, layer, normalise).get_score()


def vectors_of(folder, texts, pooling="mean", layer=2, max_length=64, normalise=False) -> np.ndarray:
    """The vectors of texts that mteb gets from a saved model."""
    model = loaded(folder, [pooling], [layer], max_length)
    return benchmark.LookUp(model, pooling, layer, normalise).encode([{"text": texts}])


def content(data):
    """Rows of tables instead of tables."""
    if isinstance(data, dict):
        return {name: content(part) for name, part in data.items()}
    return data.to_list() if hasattr(data, "to_list") else data


def write(tables, folder, ending):
    """Write the tables of a task to files."""
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        path = folder / f"{name}{ending}"
        match ending:
            case ".parquet":
                table.to_parquet(path)
            case ".jsonl":
                table.to_json(path, orient="records", lines=True)
            case _:
                table.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
    return folder
