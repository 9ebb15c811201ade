"""Tables of experiments name every run right."""

import json

import pandas as pd

import collect_losses


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
