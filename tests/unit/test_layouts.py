"""Tables for print and means of blocks, by hand."""

import numpy as np
import pandas as pd
import pytest

from selfembed.errors import InputError
from selfembed.evidence import blocks, layouts
from selfembed.jobs import records
from selfembed.scores import tables
from selfembed.scores.measures import Number
from warm_steps import run_step


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


NUMBERS = {name: Number("accuracy", "kNN accuracy") for name in ("knn", "linear", "2")}
NUMBERS |= {"mteb": Number("mteb", "MTEB score")}
NUMBERS |= {name: Number("uniformity", "Uniformity of crops") for name in ("pairs_uniformity", "u")}


def lay_out(table, published=None, rows="series", columns="corpus", series=(), means=False, repeated=()):
    words = {"rows": rows, "columns": columns, "series": list(series), "means": means, "repeated": list(repeated)}
    return layouts.lay_out(table, published, poolings=["mean"], numbers=NUMBERS, **words).set_index(rows)


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
    assert table["mean of two corpora"].tolist() == ["40.5", "30.0", ""]


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
    with pytest.raises(InputError, match=f"^{named} would be averaged; expected: one {column} per "):
        lay_out(both)
    assert lay_out(both, rows=column).loc[other, "one"] == "51.0 ± 1.4"


def test_a_seed_counts_once():
    with pytest.raises(InputError, match=r"^series Crops, corpus one, seed 1: several values; expected: one"):
        lay_out(pd.concat([TABLE, TABLE]))


def test_scores_and_steps_of_a_table_can_be_chosen(tmp_path):
    plain = dict.fromkeys([*tables.LINE_COLUMNS, *tables.SCORE_COLUMNS]) | {
        "series": "A",
        "label": "A",
        "corpus": "one",
        "pooling": "mean",
    }
    rows = [("knn", "0", 0.1), ("knn", "final", 0.2), ("linear", "0", 0.3), ("linear", "final", 0.4)]
    found = [
        plain | {"layer": 2, "last_layer": 2, "score": score, "step": step, "value": value}
        for score, step, value in rows
    ]
    records.write_table(pd.DataFrame(found), tmp_path / "table.csv")
    words = ["--table", tmp_path / "table.csv"]
    words += ["--measure", "linear", "accuracy", "Linear accuracy", "--scores", "linear", "--steps", "final"]
    words += ["--title", "A & <b>", "--output", *(tmp_path / f"one{ending}" for ending in (".csv", ".tex", ".html"))]
    run_step("lay_out_scores", *words, check=True)
    assert (tmp_path / "one.csv").read_text() == "series,one\nA,40.0\n"
    page = (tmp_path / "one.html").read_text()
    assert "<h1>A &amp; &lt;b&gt;</h1>" in page and "<tr><td>A</td><td>40.0</td></tr>" in page


def test_nothing_to_lay_out_is_one_clear_line():
    with pytest.raises(InputError, match="nothing to lay out"):
        lay_out(TABLE, series=["Nobody"])


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ("score", "score: .* would be averaged; expected: one score"),
        ("step", "step: .* would be averaged; expected: one step"),
        ("x", "seed 1: several values"),
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
    means, published, sets = blocks.block_means(TASKS, TASKS.iloc[:0], ["series", "seed"])
    means = means.set_index("block")["value"]
    assert means.to_dict() == pytest.approx({"sts": 0.7, "retrieval": 0.1, "mean of two blocks": 0.4})
    assert published.empty
    assert sets == ["mean of two blocks"]
    table = lay_out(TASKS, rows="corpus", columns="series", means=True)["Crops"]
    assert table[["mean of sts", "mean of retrieval", *sets]].tolist() == ["70.0", "10.0", "40.0"]
    assert "mean of sts_v1" not in table


def test_a_block_that_lacks_a_task_has_no_mean():
    other = TASKS[TASKS["corpus"] != "B"].assign(series="Other")
    means, _, _ = blocks.block_means(pd.concat([TASKS, other]), TASKS.iloc[:0], ["series", "seed"])
    assert set(means.loc[means["series"] == "Other", "block"]) == {"retrieval"}


PAPER_TASKS = [(task, block) for block, tasks in blocks.PAPER_TASKS.items() for task in sorted(tasks)]
FOUR, FIVE = "mean of four blocks (v1)", "mean of five blocks (v2)"


def mteb(*series, without=()):
    """Scores of the paper's tasks, different for all, without some tasks or blocks."""
    rows = [
        (name, task, None, 0.2002 + 0.1 * place + 0.01 * number, {"block": block, "score": "mteb"})
        for place, name in enumerate(series)
        for number, (task, block) in enumerate(PAPER_TASKS)
        if not {task, block} & set(without)
    ]
    return scores(*rows)


def mean_cells(ours, published, series="A"):
    """The cells of means in a table of tasks by name, without `mean of `."""
    table = lay_out(ours, published, rows="corpus", columns="series", means=True)[series]
    return {name.removeprefix("mean of "): cell for name, cell in table.items() if name.startswith("mean of ")}


def test_a_published_mean_is_over_the_blocks_of_ours_beside_it():
    """Of a series, not of the table: another one may have been published with more blocks."""
    published = pd.concat([mteb("A", "B").query("series == 'B'"), mteb("A", without=["classification"])])
    cells = mean_cells(mteb("A", "B"), published)
    assert cells["four blocks (v1)"] == "26.3 (26.3)"
    assert cells["five blocks (v2)"] == "28.0"
    assert mean_cells(mteb("A", "B"), published, "B")["five blocks (v2)"] == "38.0 (38.0)"
    fewer = mean_cells(mteb("A", without=["classification"]), mteb("A"))
    assert fewer["four blocks (v1)"] == "26.3 (26.3)"
    assert not any("five" in name or "classification" in name for name in fewer)


def test_a_published_mean_of_a_block_is_over_the_same_tasks():
    cells = mean_cells(mteb("A"), mteb("A", without=["STS15"]))
    assert cells["sts"] == "30.0"
    assert cells["retrieval"] == "27.5 (27.5)"
    assert cells["four blocks (v1)"] == "26.3"
    assert cells["clustering, reranking, retrieval, classification"] == "27.5 (27.5)"
    more = pd.concat([mteb("A"), scores(("A", "STS12", None, 0.9, {"block": "sts", "score": "mteb"}))])
    assert mean_cells(mteb("A"), more) == mean_cells(mteb("A"), mteb("A"))
    as_many = mteb("A").replace({"corpus": {"STS15": "STS12"}})
    assert mean_cells(mteb("A"), as_many)["sts"] == "30.0"


def test_tasks_of_ones_own_are_no_version_of_the_paper():
    """Even in blocks that are called as the paper's."""
    own = mteb("A").assign(corpus="Own" + mteb("A")["corpus"])
    assert [name for name in mean_cells(own, None) if name.endswith(("blocks", ")"))] == ["five blocks"]
    some = own[own["block"].isin(["sts", "retrieval", "classification"])]
    assert [name for name in mean_cells(some, None) if "block" in name] == ["three blocks"]
    beside = pd.concat([mteb("A"), own.assign(block="own")])
    names = ["four blocks (v1)", "five blocks (v2)", "six blocks"]
    assert [name for name in mean_cells(beside, None) if "blocks" in name] == names


def test_series_with_as_many_other_tasks_share_no_mean():
    """A block's mean would be of other tasks in every series."""
    other = TASKS.replace({"corpus": {"B": "E"}}).assign(series="Other")
    means, _, _ = blocks.block_means(pd.concat([TASKS, other]), TASKS.iloc[:0], ["series", "seed"])
    assert set(means["block"]) == {"retrieval"}


def test_a_published_mean_is_over_the_corpora_of_ours_beside_it():
    ours = scores(*((name, corpus, None, 0.5) for name in "AB" for corpus in ("one", "two", "three", "again")))
    published = ours.query("corpus != 'again'").assign(value=[0.1, 0.2, 0.6] * 2)
    table = lay_out(ours, published, means=True, repeated=["again"])
    assert table["mean of three corpora"].tolist() == ["50.0 (30.0)"] * 2
    table = lay_out(ours, published.query("series == 'A' or corpus == 'one'"), means=True, repeated=["again"])
    assert table["mean of three corpora"].tolist() == ["50.0 (30.0)", "50.0"]
    table = lay_out(ours, published.query("corpus != 'two'"), means=True)
    assert table["mean of one, three"].tolist() == ["50.0 (35.0)"] * 2
    assert table["mean of four corpora"].tolist() == ["50.0"] * 2


def test_a_published_value_stands_beside_the_swept_value_that_it_is_of():
    """Labels of published numbers are not spelled as ours."""
    ours = scores(("A", "one", 1, 0.5, {"x": "1e-05"}), ("A", "one", 1, 0.6, {"x": "0.5"}))
    ours["label"] = ["A, learning_rate 1e-05", "A, learning_rate 0.5"]
    published = scores(("A", "one", None, 0.61, {"x": 0.5})).assign(label="A, 0.5")
    assert lay_out(ours, published, rows="label")["one"].tolist() == ["50.0", "60.0 (61.0)"]


@pytest.mark.parametrize(("column", "value"), [("step", "epoch-1"), ("score", "linear"), ("layer", 1), ("x", 3)])
def test_a_published_value_of_something_else_stands_beside_nothing(column, value):
    ours = scores(("A", "one", 1, 0.5))
    published = scores(("A", "one", None, 0.4)).assign(**{column: value, "last_layer": 2 if column != "layer" else 1})
    assert lay_out(ours, published).loc["A", "one"] == "50.0"
    assert lay_out(ours, published.assign(**{column: ours[column]})).loc["A", "one"] == "50.0 (40.0)"


def test_steps_that_are_numbers_on_one_side_alone_are_the_same():
    ours = scores(("A", "one", 1, 0.5, {"step": "10"}), ("A", "one", 1, 0.6, {"step": "final"}))
    published = scores(("A", "one", None, 0.4, {"step": 10}))
    assert lay_out(ours, published, columns="step").loc["A"].tolist() == ["50.0 (40.0)", "60.0"]


def test_a_published_value_that_is_no_part_of_one_is_shown_as_ours_is():
    ours = scores(("A", "one", 1, -2.5)).assign(score="u", settings="measure=uniformity similarity=cosine")
    published = scores(("A", "one", None, -2.4)).assign(score="u", settings=None)
    assert lay_out(ours, published).loc["A", "one"] == "-2.500 (-2.400)"


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
