"""Tables of experiments name every run right."""

import json

import pandas as pd
import pytest

import collect_losses
import summarise_scores
from selfembed import tables
from selfembed.errors import InputError


def test_losses_belong_to_the_run_whose_folder_they_are_in(tmp_path):
    """Whatever the order in which a shell expands the folders; a run can have two labels."""
    runs = [f"{corpus}/bert/{recipe}/seed-1" for corpus in "ab" for recipe in ("crops", "dropout")]
    for number, run in enumerate(runs):
        folder = tmp_path / "tuned" / run
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"run": run}))
        pd.DataFrame({"step": [1], "loss": [float(number)]}).to_csv(folder / "loss.csv", index=False)
    folders = {run: str(tmp_path / "tuned" / run) for run in runs}
    entries = ["--entry", "Crops", folders[runs[2]], folders[runs[0]], "--entry", "Dropout", folders[runs[1]]]
    entries += [folders[runs[3]], "--entry", "Crops again", folders[runs[0]]]
    collect_losses.main([*entries, "--output", str(tmp_path / "losses.csv")])
    table = pd.read_csv(tmp_path / "losses.csv")
    found = {(row.label, row.training_corpus, row.recipe): row.loss for row in table.itertuples()}
    assert found == {
        ("Crops", "a", "crops"): 0,
        ("Dropout", "a", "dropout"): 1,
        ("Crops", "b", "crops"): 2,
        ("Dropout", "b", "dropout"): 3,
        ("Crops again", "a", "crops"): 0,
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["Crops"], "--entry Crops: no path; needed: label, paths"),
        (["Crops", "nowhere"], "--entry Crops: 'nowhere' does not exist"),
    ],
)
def test_an_entry_without_its_files_is_one_clear_line(tmp_path, words, message):
    with pytest.raises(InputError, match=message):
        collect_losses.main(["--entry", *words, "--output", str(tmp_path / "losses.csv")])


def test_a_summary_tells_steps_and_scores_apart_where_they_vary():
    plain = dict.fromkeys(tables.SCORE_COLUMNS) | {"corpus": "one", "layer": 1, "last_layer": 1, "pooling": "mean"}
    rows = [
        plain | {"label": label, "recipe": recipe, "step": step, "score": score, "seed": 1, "value": 0.5}
        for label, recipe in (("Before", None), ("After", "crops"))
        for step in (["0"] if recipe is None else ["4", "8"])
        for score in ("knn", "linear")
    ]
    table = pd.DataFrame(rows)
    several = summarise_scores.markdown(summarise_scores.summarise(table))
    assert "step" in several and "score (%)" in several and several.count("linear") == 3
    one = table[(table["score"] == "knn") & (table["step"] != "4")]
    plain_summary = summarise_scores.markdown(summarise_scores.summarise(one))
    assert "step" not in plain_summary and "kNN accuracy (%)" in plain_summary
