"""Adapt to corpora with labels hidden, and score the recommended model by the labels.

For every corpus, a random part of its texts and titles is written as csv without labels, and `selfembed propose --sure
--run` adapts the default encoder to it in a folder of its own, with the default settings and three seeds. Then the
encoder and the recommended model of every seed embed the texts, and are scored by the labels: 10 nearest neighbours by
cosine (leave-one-out) and logistic regression on standardised vectors (5-fold). Differences are means over seeds, with
standard errors over texts; the gain for search is that of the report (`choice.json`), of texts that the model was not
chosen on.

    python bench/hidden_labels.py FILES --work FOLDER --texts 1000
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT / "scripts"), str(ROOT / "bench")]

from label_free_measures import knn_right, neighbours

from selfembed.jobs import command_line
from selfembed.jobs.command_line import at_least
from selfembed.jobs.records import read_json

SEED = 7  # of the sample
SEEDS = (42, 23, 12)  # those of --sure
HEADINGS = ("corpus", "texts", "recommended", "search before", "gain (95 % interval)", "kNN", "linear", "minutes")


def main(argv: list[str]) -> None:
    """Run with command-line arguments."""
    parser = command_line.parser(__doc__)
    parser.add_argument("files", nargs="+", type=Path, help="Parquet files of bench/labelled_corpora.py")
    parser.add_argument("--work", type=Path, required=True, help="folder of texts, configs and results")
    parser.add_argument("--texts", type=at_least(100), default=1000, help="number of texts")
    parser.add_argument("--seeds", type=at_least(0), nargs="+", default=list(SEEDS), help="random seeds")
    parser.add_argument("--purpose", default="both", help="what the model is for")
    parser.add_argument("--shuffled", action="store_true", help="shuffle the words of all texts and titles together")
    arguments = parser.parse_args(argv)
    print("| " + " | ".join(HEADINGS) + " |\n" + "|---" * len(HEADINGS) + "|")
    for file in arguments.files:
        row = adapted(file, arguments)
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


def adapted(file: Path, arguments) -> tuple:
    """Adapt to a corpus; return its row of the table."""
    name = f"{file.stem}_{arguments.purpose}{'_shuffled' if arguments.shuffled else ''}"
    folder = arguments.work / name
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.read_parquet(file).sample(frac=1, random_state=SEED).iloc[: arguments.texts].reset_index(drop=True)
    if arguments.shuffled:
        table = shuffled(table)
    columns = ["text", "title"] if table["title"].astype(bool).any() else ["text"]
    table[columns].to_csv(folder / f"{name}.csv", index=False)
    start = time.monotonic()
    command = [sys.executable, "-m", "selfembed", "propose", f"{name}.csv", "--text", "text", "--run"]
    command += ["--for", arguments.purpose, "--seeds", *map(str, arguments.seeds)]
    with (folder / "log.txt").open("w") as log:
        subprocess.run(command, cwd=folder, check=True, stdout=log, stderr=log)
    minutes = (time.monotonic() - start) / 60
    results = folder / "results" / name
    choice = read_json(results / "choice.json", "label", "judged")
    search = choice["judged"].get("search")
    before, gain = "", ""
    if search:
        low, high = 100 * search["low"], 100 * search["high"]
        before = f"{100 * search['before']:.1f}"
        gain = f"{100 * (search['value'] - search['before']):+.1f} ({low:+.1f} to {high:+.1f})"
    models = models_of(choice["label"], results, arguments.seeds)
    accuracies = by_labels(table, models, results) if models and not arguments.shuffled else ("", "")
    return name, len(table), choice["label"], before, gain, *accuracies, f"{minutes:.0f}"


def shuffled(table: pd.DataFrame) -> pd.DataFrame:
    """Distribute the words of all texts, and of all titles, at random; every text keeps its sentence lengths."""
    generator = np.random.default_rng(SEED)
    found = table.copy()
    for column in ("text", "title"):
        words = [word.strip(".!?") or "word" for text in table[column] for word in text.split()]
        drawn = iter(generator.permutation(words))
        ends = [[word[-1] if word[-1] in ".!?" else "" for word in text.split()] for text in table[column]]
        found[column] = [" ".join(f"{next(drawn)}{end}" for end in text) for text in ends]
    return found


def models_of(label: str, results: Path, seeds: list[int]) -> list[Path]:
    """Folders of the recommended model, one for each seed; empty if the encoder is kept."""
    name = label.removesuffix(" + words")
    if name == "Before":
        return [] if name == label else [results / "models/base/minilm_words/0"]
    recipe, _, fraction = name.partition(" ")
    steps = {"¼": "interpolated-0.25", "½": "interpolated-0.5", "¾": "interpolated-0.75", "": "final"}
    folder = results / "models/tuned/texts/minilm_words" / recipe.lower()
    return [folder / f"seed-{seed}" / steps[fraction] for seed in seeds]


def by_labels(table: pd.DataFrame, models: list[Path], results: Path) -> tuple[str, str]:
    """Differences of kNN and linear accuracy from the encoder, in points, with standard errors over texts."""
    from selfembed.embeddings import embedding

    texts, labels = table["text"].tolist(), table["label"].astype("category").cat.codes.to_numpy()
    before = outcomes(embedding.vectors_of(results / "models/base/minilm/0", texts), labels)
    after = np.mean([outcomes(embedding.vectors_of(model, texts), labels) for model in models], axis=0)
    found = []
    for first, second in zip(before, after, strict=True):
        change = 100 * (second - first)
        found.append(f"{100 * first.mean():.1f} {change.mean():+.1f} ± {change.std() / np.sqrt(len(change)):.1f}")
    return found[0], found[1]


def outcomes(vectors: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Whether neighbours, and a linear probe, give the label of every text; shape (2, texts)."""
    near = knn_right(neighbours(normalize(vectors)), labels)
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.02, tol=1e-3, max_iter=200))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    linear = cross_val_predict(probe, vectors, labels, cv=folds) == labels
    return np.stack([near, linear]).astype(float)


if __name__ == "__main__":
    command_line.run(main)
