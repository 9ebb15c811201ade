"""Files of a small run, its corpus and its scores, as the report and the model's card read them."""

import json
from pathlib import Path

import pandas as pd

from selfembed.evidence import differences

RECIPE = {
    "augmentation": "crops",
    "sentences": 2,
    "minimum_length": 100,
    "maximum_length": 250,
    "epochs": 1,
    "seed": 42,
    "held_out": 0.1,
    "pooling": "mean",
    "temperature": 0.05,
    "learning_rate": 2e-5,
    "batch_size": 64,
    "warmup": 0.1,
    "max_length": 512,
    "precision": "fp32",
    "mask_fraction": 0.0,
    "projection": None,
    "unfrozen_layers": None,
}
COUNTS = {"read": 1200, "empty": 1, "too short": 0, "duplicate": 199, "kept": 1000}


def row(label, against, amount, measure="recall@1", corpus="crops_of_texts", score=None, half_width=0.02):
    """A row of a table of differences: how much better (or worse) by an amount; an interval of 0.02 to each side."""
    score = score or ("knn" if measure == "accuracy" else f"pairs_{measure}")
    found = {"corpus": corpus, "score": score, "measure": measure, "label": label, "against": against}
    found |= {
        "n_texts": 1000,
        "n_seeds": 0 if label == "TF-IDF" else 3,
        "against_seeds": 3 if against == "After" else 0,
    }
    for prefix, value in {"": 0.5 + amount, "against_": 0.5, "difference_": amount}.items():
        found |= {prefix + "low": value - half_width, prefix + "high": value + half_width}
    found |= {"value": 0.5 + amount, "against_value": 0.5, "difference": amount}
    return found | differences.describe_difference(found)


def write(folder: Path, rows, recipe=None, counts=None, label="After", base_label="Before", fraction=None) -> list[str]:
    """Write the files of an account and give the command-line arguments that name them."""
    recipe = RECIPE | (recipe or {})
    final = folder / "run" / "final"
    final.mkdir(parents=True, exist_ok=True)
    (final / "modules.json").write_text("[]")
    (final / "model.safetensors").write_bytes(b"weights")
    (final / "README.md").write_text("# The run's own card")
    (folder / "run" / "run.json").write_text(json.dumps({"recipe": recipe, "steps": 15}))
    (folder / "run" / "loss.csv").write_text("step,loss\n1,2.5\n2,0.5\n")
    (folder / "pairs.json").write_text(json.dumps({"pairs": 900}))
    (folder / "counts.json").write_text(json.dumps({"rows": COUNTS | (counts or {})}))
    (folder / "description.csv").write_text("texts,labelled,classes,mean_length\n1000,0,0,812.4\n")
    pd.DataFrame(rows).to_csv(folder / "differences.csv", index=False)
    words = {"corpus": "texts", "label": label, "encoder": "a small model", "max-length": "256"}
    words |= {"counts": "counts.json", "description": "description.csv", "record": "run", "model": "run/final"}
    words |= {"pairs-settings": "pairs.json", "differences": "differences.csv"} | (
        {} if base_label is None else {"base-label": base_label}
    )
    files = ("counts", "description", "record", "model", "pairs-settings", "differences")
    found = [
        part for key, value in words.items() for part in (f"--{key}", str(folder / value) if key in files else value)
    ]
    found += [] if fraction is None else ["--fraction", str(fraction)]
    return [*found, "--corpora", *dict.fromkeys(each["corpus"] for each in rows)]
