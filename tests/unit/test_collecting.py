"""Tables are collected from files named in few words, whatever the order these come in."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import summarise_scores
from selfembed import records, tables
from selfembed.settings.paths import braced

SCRIPTS = Path(records.__file__).parents[1]


def test_losses_belong_to_the_run_of_their_folder(tmp_path):
    """With two corpora and two recipes, the words stand for the folders in another order than they are listed in."""
    runs = [f"tuned/{corpus}/tiny/{recipe}/seed-1" for recipe in ("crops", "dropout") for corpus in ("news", "docs")]
    for number, run in enumerate(runs):
        records.write_table(pd.DataFrame({"step": [1], "loss": [number]}), tmp_path / "models" / run / "loss.csv")
    words = " ".join(braced(f"models/{run}" for run in runs))
    script = f"{sys.executable} {SCRIPTS / 'collect_losses.py'} --entry 'Two recipes' {words} --output losses.csv"
    subprocess.run(["bash", "-c", script], cwd=tmp_path, check=True)
    table = tables.read(tmp_path / "losses.csv").set_index("model")
    assert table["loss"].to_dict() == {run: number for number, run in enumerate(runs)}
    assert table.loc[runs[1], ["label", "training_corpus", "recipe", "seed"]].tolist() == [
        "Two recipes",
        "docs",
        "crops",
        1,
    ]


KNN = {"score": "near", "settings": "k=10 metric=euclidean"}
LINEAR = {"score": "probe", "settings": "split=labelled"}
MTEB = {"score": "mteb", "settings": "max_length=384"}


def table_of(*rows):
    """A table of one model on one corpus, with a value for each of some rows."""
    plain = {"label": "A", "corpus": "one", "step": "final", "layer": 2, "last_layer": 2, "pooling": "mean"}
    found = [dict.fromkeys(tables.IDENTITY_COLUMNS) | plain | row | {"value": 0.5} for row in rows]
    return pd.DataFrame(found)


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([KNN], "| model | corpus | pooling | kNN accuracy (%) |"),
        ([LINEAR], "| model | corpus | pooling | Linear accuracy (%) |"),
        ([MTEB], "| model | corpus | pooling | MTEB score (%) |"),
        ([KNN, LINEAR], "| model | corpus | score | pooling | Score (%) |"),
        ([KNN | {"step": "0"}, KNN], "| model | corpus | step | pooling | kNN accuracy (%) |"),
        ([KNN | {"label": "B", "step": "0"}, KNN], "| model | corpus | pooling | kNN accuracy (%) |"),
    ],
)
def test_a_summary_says_what_was_scored(rows, header):
    """Rows of a summary can be told apart, and its heading names the score."""
    text = summarise_scores.markdown(summarise_scores.summarise(table_of(*rows)))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0].startswith(header)
    assert len(set(lines[2:])) == len(rows)


def test_published_scores_are_called_by_their_names():
    """Their settings are unknown."""
    assert tables.score_name(table_of({"score": "knn_cosine"})) == "kNN accuracy"
    assert tables.score_name(table_of({"score": "linear"})) == "Linear accuracy"
    assert tables.score_name(table_of({"score": "recall"})) == "Score"
