"""Tables for print and means of blocks, by hand."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from selfembed import blocks, layouts, records, tables
from selfembed.errors import InputError


def scores(*rows):
    """Score rows of (series, corpus, seed, value) and more."""
    plain = {
        "x": np.nan,
        "block": np.nan,
        "layer": 2,
        "last_layer": 2,
        "pooling": "mean",
        "score": "knn",
        "step": "final",
    }
    names = ["series", "corpus", "seed", "value"]
    table = pd.DataFrame([plain | dict(zip(names, row[:4], strict=True)) | dict(*row[4:]) for row in rows])
    return table.assign(seed=table["seed"].astype("Int64"), label=table["series"], standard_error=0.01)


TABLE = scores(
    ("Crops", "one", 1, 0.50),
    ("Crops", "one", 2, 0.52),
    ("Crops", "two", 1, 0.30),
    ("Plain", "one", None, 0.40),
    ("Plain", "two", None, 0.20),
    ("Short", "one", None, 0.10),
    ("Plain", "one", None, 0.99, {"layer": 1}),
    ("Plain", "one", None, 0.98, {"pooling": "cls"}),
)


def lay_out(table, published=None, rows="series", columns="corpus", series=(), means=False):
    return layouts.lay_out(table, published, rows, columns, list(series), ["mean"], means).set_index(rows)


def test_cells_are_means_with_their_spread_and_the_published_value():
    published = scores(("Crops", "one", None, 0.489), ("Nobody", "one", None, 0.9))
    table = lay_out(TABLE, published)
    assert table.loc["Crops", "one"] == "51.0 ± 1.4 (48.9)"
    assert table.loc["Crops", "two"] == "30.0"
    assert table.loc["Plain"].tolist() == ["40.0", "20.0"]
    assert table.loc["Short", "two"] == ""
    assert list(table.index) == ["Crops", "Plain", "Short"]


def test_what_is_no_part_of_one_is_shown_as_it_is():
    plain = scores(("Crops", "one", 1, -2.5), ("Crops", "one", 2, -2.7), ("Crops", "two", 1, -2.0)).assign(
        score="pairs_uniformity", settings="measure=uniformity similarity=cosine"
    )
    assert lay_out(plain, means=True).loc["Crops"].tolist() == ["-2.600 ± 0.141", "-2.000", "-2.300"]


def test_means_are_of_complete_rows_only():
    table = lay_out(TABLE, means=True)
    assert table["mean"].tolist() == ["40.5", "30.0", ""]


def test_rows_are_the_chosen_ones_in_their_order():
    assert list(lay_out(TABLE, series=["Plain", "Crops"]).index) == ["Plain", "Crops"]
    assert list(lay_out(TABLE, rows="corpus", columns="series", series=["Plain", "Crops"]).columns) == [
        "Plain",
        "Crops",
    ]


@pytest.mark.parametrize(
    ("column", "other", "named"),
    [
        ("score", "linear", "score: 'knn', 'linear'"),
        ("step", "epoch-1", "step: 'final', 'epoch-1'"),
        ("label", "Crops, epochs 2", "label: 'Crops', 'Crops, epochs 2'"),
    ],
)
def test_a_cell_averages_seeds_alone(column, other, named):
    crops = TABLE[TABLE["series"] == "Crops"]
    both = pd.concat([crops, crops.assign(**{column: other})])
    with pytest.raises(InputError, match=f"^{named} would be averaged; allowed: one {column} in every place"):
        lay_out(both)
    assert lay_out(both, rows=column).loc[other, "one"] == "51.0 ± 1.4"


def test_a_seed_counts_once():
    with pytest.raises(InputError, match=r"^series Crops, corpus one, seed 1: more than one number; allowed: one"):
        lay_out(pd.concat([TABLE, TABLE]))


def test_scores_and_steps_of_a_table_can_be_chosen(tmp_path):
    plain = dict.fromkeys(tables.SCORE_COLUMNS) | {"series": "A", "label": "A", "corpus": "one", "pooling": "mean"}
    rows = [("knn", "0", 0.1), ("knn", "final", 0.2), ("linear", "0", 0.3), ("linear", "final", 0.4)]
    found = [
        plain | {"layer": 2, "last_layer": 2, "score": score, "step": step, "value": value}
        for score, step, value in rows
    ]
    records.write_table(pd.DataFrame(found), tmp_path / "table.csv")
    script = Path(tables.__file__).parents[1] / "lay_out_scores.py"
    words = ["--scores", "linear", "--steps", "final", "--output", tmp_path / "one.csv", tmp_path / "one.tex"]
    subprocess.run([sys.executable, script, "--table", tmp_path / "table.csv", *words], check=True)
    assert (tmp_path / "one.csv").read_text() == "series,one\nA,40.0\n"


def test_nothing_to_lay_out_is_one_clear_line():
    with pytest.raises(InputError, match="nothing to lay out"):
        lay_out(TABLE, series=["Nobody"])
    with pytest.raises(InputError, match="means: there are no corpora"):
        lay_out(TABLE[TABLE["corpus"] == "one"], rows="score", columns="series", means=True)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("score", "score: .* would be averaged; allowed: one score"),
        ("step", "step: .* would be averaged; allowed: one step"),
        ("x", "seed 1: more than one number"),
    ],
)
def test_a_cell_is_never_the_mean_of_more_than_seeds(column, message):
    """Without this, two scores of one model would be one number with a spread."""
    other = TABLE.assign(**{column: "2"})
    with pytest.raises(InputError, match=message):
        lay_out(pd.concat([TABLE, other]))


TASKS = scores(
    *(
        ("Crops", task, 1, value, {"block": block, "score": "mteb"})
        for task, block, value in [("A", "sts", 0.6), ("B", "sts", 0.8), ("C", "retrieval", 0.1), ("D", "sts_v1", 0.0)]
    )
)


def test_blocks_count_alike_whatever_their_number_of_tasks():
    means = blocks.block_means(TASKS, ["series", "seed"]).set_index("block")["value"]
    assert means.to_dict() == pytest.approx({"sts": 0.7, "retrieval": 0.1, blocks.MEAN: 0.4})
    table = lay_out(TASKS, rows="corpus", columns="series", means=True)["Crops"]
    assert table[["mean of sts", "mean of retrieval", "mean of blocks"]].tolist() == ["70.0", "10.0", "40.0"]
    assert "mean of sts_v1" not in table


def test_a_block_that_lacks_a_task_has_no_mean():
    other = TASKS[TASKS["corpus"] != "B"].assign(series="Other")
    means = blocks.block_means(pd.concat([TASKS, other]), ["series", "seed"])
    assert set(means.loc[means["series"] == "Other", "block"]) == {"retrieval"}


def test_latex_prints_what_the_table_says():
    text = layouts.latex(pd.DataFrame({"series": ["A & B_1"], "50 %": ["51.0 ± 1.4"]}), "100 % {caption}")
    assert r"A \& B\_1 & 51.0 $\pm$ 1.4 \\" in text
    assert r" & 50 \% \\" in text
    assert r"\caption{100 \% \{caption\}}" in text
    assert text.count("{tabular}") == 2


def test_a_sweep_of_two_keys_is_not_taken_for_seeds():
    """Only the first key's value is in `x`; labels tell the others."""
    swept = scores(("A", "one", 1, 0.5), ("A", "one", 1, 0.6)).assign(x=0.05, label=["A, batch 16", "A, batch 32"])
    with pytest.raises(InputError, match="label: 'A, batch 16', 'A, batch 32' would be averaged"):
        lay_out(swept)
