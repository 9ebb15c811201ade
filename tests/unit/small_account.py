"""Files of a small run, its corpus and its scores, as the report and the model's card read them."""

import json
from pathlib import Path

import pandas as pd

from selfembed.evidence import differences

MODULES = [
    {"type": "sentence_transformers.models.Transformer", "path": ""},
    {"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"},
]
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


def row(label, against, amount, measure="title_recall@1", corpus="titles_of_texts", score=None, candidate=True):
    """A row of the table of all models: how much better (or worse) by an amount; an interval of 0.02 to each side."""
    by_labels = measure in ("accuracy", "balanced_accuracy")
    score = score or {"accuracy": "knn", "balanced_accuracy": "knn_balanced_accuracy"}.get(measure, f"pairs_{measure}")
    found = {"purpose": "grouping" if by_labels else "search", "is_candidate": candidate}
    found |= {"corpus": corpus, "score": score, "measure": measure, "label": label, "against": against}
    found |= {"n_texts": 1000, "n_seeds": 3, "against_seeds": 0}
    for prefix, value in {"": 0.5 + amount, "against_": 0.5, "difference_": amount}.items():
        found |= {prefix + "low": value - 0.02, prefix + "high": value + 0.02}
    found |= {"value": 0.5 + amount, "against_value": 0.5, "difference": amount}
    return found | differences.describe_difference(found)


def judged(verdict, gain):
    """A judgement of a gain in points of 0.01, with an interval of 0.02 to each side."""
    facts = {"n_texts": 200, "n_chosen_on": 100, "value": 0.5 + gain, "before": 0.5, "verdict": verdict}
    return facts | {"low": gain - 0.02, "high": gain + 0.02}


def write(
    folder: Path,
    rows,
    judgements=None,
    label="After",
    best="After",
    purpose="both",
    step="final",
    recipe=None,
    counts=None,
    repository=None,
):
    """Write the files of an account and give the command-line arguments that name them.

    Args:
        judgements: by purpose; for search, a model that is better by 0.1.
        repository: on the hub, of the model before fine-tuning.
    """
    recipe = RECIPE | (recipe or {})
    for model in (f"run/{step}", "base/0"):
        (folder / model).mkdir(parents=True, exist_ok=True)
        (folder / model / "modules.json").write_text(json.dumps(MODULES))
        (folder / model / "model.safetensors").write_bytes(f"weights of {model}".encode())
        (folder / model / "README.md").write_text("# Its own card")
    if repository:
        (folder / "base" / "model.json").write_text(json.dumps({"repository": repository}))
    (folder / "run" / "run.json").write_text(json.dumps({"recipe": recipe, "steps": 15}))
    (folder / "run" / "loss.csv").write_text("step,loss\n1,2.5\n2,0.5\n")
    (folder / "pairs.json").write_text(json.dumps({"pairs": 900}))
    (folder / "counts.json").write_text(json.dumps({"rows": COUNTS | (counts or {})}))
    (folder / "description.csv").write_text("texts,labelled,classes,mean_length\n1000,0,0,812.4\n")
    found = {"search": judged("better", 0.1)} if judgements is None else judgements
    choice = {"purpose": purpose, "keep": "Before", "label": label, "best": best, "judged": found}
    (folder / "choice.json").write_text(json.dumps(choice))
    pd.DataFrame(rows).to_csv(folder / "table.csv", index=False)
    words = {"corpus": "texts", "encoder": "a small model", "max-length": "256", "pooling": "mean"}
    files = {"counts": "counts.json", "description": "description.csv", "choice": "choice.json", "table": "table.csv"}
    files |= {"base": "base"}
    words |= {key: str(folder / name) for key, name in files.items()}
    run = [str(folder / name) for name in ("run", "run", "pairs.json")]
    candidates = ["--candidate", best or "After", step, *run, "--candidate", "Before", "0", str(folder / "base")]
    return [part for key, value in words.items() for part in (f"--{key}", value)] + candidates
