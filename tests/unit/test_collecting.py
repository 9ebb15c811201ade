"""Tables are collected from files named in few words, whatever the order these come in."""

import subprocess
import sys
from pathlib import Path

import pandas as pd

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
