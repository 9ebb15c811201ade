"""Figures from awkward tables: every script draws, and every label stays readable."""

import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pandas as pd
import pytest

import draw_adaptation
import draw_benchmark_steps
import draw_classes
import draw_comparison
import draw_layers
from selfembed import figures, tables
from selfembed.errors import InputError

SCRIPTS = Path(figures.__file__).parents[1]
LABELS = [
    "None",
    "US$ 5 and US$ 6",
    "a = b",
    "A label that somebody made much longer than any figure can show on a line",
]


def scores(labels=LABELS, corpora=("one", "two"), last_layer=2) -> pd.DataFrame:
    """A table of scores with two seeds for every label, corpus and layer."""
    rows = [
        dict.fromkeys(tables.SCORE_COLUMNS)
        | {
            "label": label,
            "series": label,
            "x": None,
            "corpus": corpus,
            "model": label,
            "seed": seed,
            "step": "final",
            "layer": layer,
            "score": "knn",
        }
        | {
            "last_layer": last_layer,
            "pooling": "mean" if last_layer else "none",
            "value": 0.3 + 0.1 * layer + 0.01 * seed,
        }
        for label in labels
        for corpus in corpora
        for seed in (1, 2)
        for layer in range(last_layer + 1)
    ]
    return pd.DataFrame(rows)


def losses(batch_sizes=(16, 64)) -> pd.DataFrame:
    """A table of losses with a run for every label and batch size, the last batch short."""
    rows = [
        {"label": label, "model": f"{label}-{size}", "training_corpus": "one", "seed": 1, "step": step}
        | {"batch_size": size if step < 20 else 3, "loss": 1 / step if step < 20 else 9.0}
        for label in LABELS
        for size in batch_sizes
        for step in range(1, 21)
    ]
    return pd.DataFrame(rows)


def draw(kind, table, folder, *arguments):
    """Run a drawing script; the image it wrote."""
    table.to_csv(folder / "table.csv", index=False)
    command = [sys.executable, str(SCRIPTS / f"draw_{kind}.py"), "--table", str(folder / "table.csv"), *arguments]
    done = subprocess.run([*command, "--output", str(folder / "figure.png")], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return (folder / "figure.png").read_bytes()


@pytest.mark.parametrize("kind", ["comparison", "layers"])
@pytest.mark.parametrize(
    "table",
    [scores(), scores(corpora=("one",)), scores(["TF-IDF"], last_layer=0), scores(LABELS[:1], ("one",))],
    ids=["awkward labels", "one corpus", "bag of words only", "one model"],
)
def test_scores_are_drawn(kind, table, tmp_path):
    assert draw(kind, table, tmp_path, "--colors", "a = b=#ff0000").startswith(b"\x89PNG")


def test_losses_are_drawn(tmp_path):
    assert draw("losses", losses(), tmp_path).startswith(b"\x89PNG")


def test_tables_keep_numbers_numbers_and_labels_labels(tmp_path):
    losses().to_csv(tmp_path / "losses.csv", index=False)
    read = tables.read(tmp_path / "losses.csv")
    assert read["step"].tolist() == losses()["step"].tolist()
    assert set(read["label"]) == set(LABELS)
    scores().to_csv(tmp_path / "scores.csv", index=False)
    read = tables.read(tmp_path / "scores.csv")
    assert set(read["step"]) == {"final"}
    assert set(read["seed"]) == {1, 2}


def test_the_same_table_gives_the_same_bytes(tmp_path):
    assert draw("comparison", scores(), tmp_path) == draw("comparison", scores(), tmp_path)


def test_nothing_to_draw_is_one_line(tmp_path):
    scores().to_csv(tmp_path / "table.csv", index=False)
    command = [sys.executable, str(SCRIPTS / "draw_layers.py"), "--table", str(tmp_path / "table.csv")]
    done = subprocess.run(
        [*command, "--pooling", "cls", "--output", str(tmp_path / "x.png")], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "nothing to draw" in done.stderr
    assert not (tmp_path / "x.png").exists()


def test_labels_keep_their_words_and_their_colours():
    assert figures.chosen_colors(["a = b=#ff0000"]) == {"a = b": "#ff0000"}
    assert figures.wrapped(LABELS[-1]).replace("\n", " ") == LABELS[-1]
    assert max(map(len, figures.wrapped(LABELS[-1]).splitlines())) <= 24
    assert figures.label_colors(["x", "y"], {"x": "#ff0000"})["x"] == "#ff0000"


def test_two_scores_are_not_averaged_in_a_figure(tmp_path):
    pd.concat([scores(), scores().assign(step="4")]).to_csv(tmp_path / "table.csv", index=False)
    for script in (draw_comparison, draw_layers):
        with pytest.raises(InputError, match=r"values with step .* would be averaged; needed: one step to show"):
            script.main(["--table", str(tmp_path / "table.csv"), "--output", str(tmp_path / "figure.png")])


def test_a_figure_of_blocks_shows_one_series(tmp_path):
    table = scores(corpora=("one",)).assign(score="mteb", block="sts", x=None)
    table.to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(InputError, match=r"values with series .* would be averaged"):
        draw_benchmark_steps.main(["--table", str(tmp_path / "table.csv"), "--output", str(tmp_path / "figure.png")])


def test_published_marks_belong_to_the_label_and_its_last_layer(tmp_path):
    """A bag of words has the last layer 0, which an encoder has among its published ones too."""
    table = scores()
    published = table[table["seed"] == table["seed"].min()].assign(source="nb")
    published.to_csv(tmp_path / "published.csv", index=False)
    bag = table[table["layer"] == 2].assign(label="Bag", series="Bag", layer=0, last_layer=0, pooling="none")
    draw("comparison", pd.concat([table, bag]), tmp_path, "--published", str(tmp_path / "published.csv"))


def test_curves_that_end_at_different_steps_are_compared_where_both_are(tmp_path):
    table = scores(labels=["Docs", "Sample"], corpora=("one",), last_layer=1)
    steps = [table.assign(step=step) for step in (0, 4)]
    steps += [table[table["series"] == "Docs"].assign(step=8), table[table["series"] == "Sample"].assign(step=5)]
    pd.concat(steps).to_csv(tmp_path / "table.csv", index=False)
    words = ["--reference", "Docs", "--shifted", "Sample", "--shift-step", "4"]
    draw_adaptation.main(["--table", str(tmp_path / "table.csv"), *words, "--output", str(tmp_path / "figure.png")])
    assert (tmp_path / "figure.png").stat().st_size > 10_000


@pytest.mark.parametrize("starts", [[], [0]])
def test_curves_that_share_no_step_of_training_have_no_difference(starts):
    steps = [("Docs", step) for step in (*starts, 4, 8)] + [("Sample", step) for step in (*starts, 5)]
    curves = pd.Series(0.5, index=pd.MultiIndex.from_tuples(steps))
    axis = Mock()
    draw_adaptation.draw_gains(axis, curves, "Docs", "Other", 4)
    axis.plot.assert_not_called()


def test_adaptation_is_to_one_corpus(tmp_path):
    scores(["Docs", "Sample"]).assign(step=4).to_csv(tmp_path / "table.csv", index=False)
    with pytest.raises(InputError, match="values with corpus one, two would be averaged; needed: one corpus to show"):
        draw_adaptation.main(["--table", str(tmp_path / "table.csv"), "--output", str(tmp_path / "figure.png")])


def test_a_corpus_without_classes_is_one_clear_line(tmp_path):
    """Its label column may be empty, which no check of the config sees."""
    (tmp_path / "notes_classes.csv").write_text("corpus,label,texts\n")
    with pytest.raises(InputError, match=r"notes_classes.csv: no class; needed: a corpus with labelled texts"):
        draw_classes.main(f"--classes {tmp_path}/notes_classes.csv --output {tmp_path}/figure.png".split())
