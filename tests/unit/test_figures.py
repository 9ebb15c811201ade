"""Figures from awkward tables: every script draws, and every label stays readable."""

import importlib
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import pandas as pd
import pytest

import draw_adaptation
import draw_benchmark_steps
import draw_classes
import draw_maps
from selfembed.drawing import figures
from selfembed.errors import InputError
from selfembed.evidence import blocks
from selfembed.scores import tables
from warm_steps import run_step

SCRIPTS = Path(figures.__file__).parents[2]
LABELS = [
    "None",
    "US$ 5 and US$ 6",
    "a = b",
    "A label that somebody made much longer than any figure can show on a line",
]


def scores(labels=LABELS, corpora=("one", "two"), last_layer=2) -> pd.DataFrame:
    """A table of scores with two seeds for every label, corpus and layer."""
    rows = [
        dict.fromkeys([*tables.LINE_COLUMNS, *tables.SCORE_COLUMNS])
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


@pytest.fixture(autouse=True)
def closed():
    """No figure stays open."""
    yield
    figures.plt.close("all")


def draw(kind, table, folder, *arguments):
    """Run a drawing script; the image it wrote."""
    table.to_csv(folder / "table.csv", index=False)
    words = ["--table", folder / "table.csv", *arguments, "--output", folder / "figure.png"]
    done = run_step(f"draw_{kind}", *words)
    assert done.returncode == 0, done.stderr
    return (folder / "figure.png").read_bytes()


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_same_table_gives_the_same_bytes(tmp_path):
    assert draw("comparison", scores(), tmp_path) == draw("comparison", scores(), tmp_path)


def test_nothing_to_draw_is_one_line(tmp_path):
    scores().to_csv(tmp_path / "table.csv", index=False)
    words = ["--table", tmp_path / "table.csv", "--pooling", "cls", "--output", tmp_path / "x.png"]
    done = run_step("draw_layers", *words)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert "nothing to draw" in done.stderr
    assert not (tmp_path / "x.png").exists()


def test_labels_keep_their_words_and_their_colours():
    assert figures.chosen_colors(["a = b=#ff0000"]) == {"a = b": "#ff0000"}
    assert figures.wrapped(LABELS[-1]).replace("\n", " ") == LABELS[-1]
    assert max(map(len, figures.wrapped(LABELS[-1]).splitlines())) <= 24
    assert figures.label_colors(["x", "y"], {"x": "#ff0000"})["x"] == "#ff0000"


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


def test_a_corpus_without_classes_is_one_clear_line(tmp_path):
    """Its label column may be empty, which no check of the config sees."""
    (tmp_path / "notes_classes.csv").write_text("corpus,label,texts\n")
    with pytest.raises(InputError, match=r"notes_classes.csv: no classes; expected: a corpus with labels"):
        draw_classes.main(f"--classes {tmp_path}/notes_classes.csv --output {tmp_path}/figure.png".split())


def refused(kind, table, folder, *arguments):
    """What a drawing script says about a table that it cannot draw."""
    table.to_csv(folder / "table.csv", index=False)
    words = ["--table", str(folder / "table.csv"), *arguments, "--output", str(folder / "figure.png")]
    with pytest.raises(InputError) as error:
        importlib.import_module(f"draw_{kind}").main(words)
    assert not (folder / "figure.png").exists()
    return str(error.value)


def benchmark(labels=("A",), layers=(2,), poolings=("mean",)) -> pd.DataFrame:
    """A table of scores on two tasks at two steps with two seeds."""
    table = scores(labels, ("One", "Two")).assign(score="mteb", block="sts", step="0")
    both = pd.concat([table, table.assign(step="10", value=table["value"] + 0.1)])
    every = pd.concat([both.assign(pooling=pooling) for pooling in poolings])
    return every[every["layer"].isin(layers)]


@pytest.mark.parametrize(
    ("table", "named"),
    [
        (benchmark(labels=("good", "bad")), "label: 'good', 'bad'"),
        (benchmark(layers=(1, 2)), "layer: '1', '2'"),
        (benchmark(poolings=("mean", "cls")), "pooling: 'mean', 'cls'"),
    ],
)
def test_a_line_of_a_block_is_of_one_model(table, named, tmp_path):
    """Two models in one line would look like one model with a wide band."""
    assert refused("benchmark_steps", table, tmp_path).startswith(f"{named} would be averaged; expected: one ")


@pytest.mark.slow
def test_a_line_of_every_block_is_drawn(tmp_path):
    assert draw("benchmark_steps", benchmark(), tmp_path).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("values", "limits"),
    [
        ((0.55, 0.3, 0.3, 0.3), (0.35, 0.6)),
        ((0.55, 0.3, 0.3, 0.85), None),
        ((0.85, 0.55, 0.55, 0.55), None),
        ((0.3,) * 4, None),
    ],
)
def test_no_accuracy_of_a_sweep_is_off_the_axes(values, limits, tmp_path, monkeypatch):
    """All panels share a range: the paper's, if nothing lies above it."""
    words = []
    for value, role in zip(values, ("temperature", "sentences", "masking", "learning-rate"), strict=True):
        sweep = scores(["A"], ("one",), last_layer=0).assign(pooling="mean", x=1.0, value=value)
        pd.concat([sweep, sweep.assign(x=2.0, value=value - 0.1)]).to_csv(tmp_path / f"{role}.csv", index=False)
        words += [f"--{role}", str(tmp_path / f"{role}.csv")]
    drawn = []
    monkeypatch.setattr(figures, "save", lambda figure, paths: drawn.append(figure))
    importlib.import_module("draw_hyperparameters").main([*words, "--output", "figure.png"])
    for low, high in (axis.get_ylim() for axis in drawn[0].axes):
        assert (low, high) == limits if limits else low < min(values) - 0.1 and high > max(values)


def of_two(column, *values):
    """A table of scores of one model on one corpus, with two values in a column."""
    table = scores(LABELS[:1], ("one",)).assign(recipe="crops", x=1.0, step="0")
    return pd.concat([table.assign(**{column: value}) for value in values])


@pytest.mark.parametrize(
    ("kind", "table", "column"),
    [
        ("comparison", of_two("step", "0", "4"), "step"),
        ("layers", of_two("step", "0", "4"), "step"),
        ("before_after", of_two("label", "Crops", "Dropout"), "label"),
        ("before_after", of_two("corpus", "one", "two"), "corpus"),
        ("adaptation", of_two("corpus", "one", "two"), "corpus"),
        ("adaptation", of_two("label", "A, epochs 1", "A, epochs 2"), "label"),
    ],
)
def test_seeds_alone_are_averaged(kind, table, column, tmp_path):
    assert refused(kind, table, tmp_path).startswith(f"{column}: ")


@pytest.mark.parametrize("column", ["corpus", "score", "step"])
@pytest.mark.parametrize("kind", ["depth", "hyperparameters"])
def test_seeds_alone_are_averaged_in_figures_of_several_experiments(kind, column, tmp_path):
    roles = ("freezing", "layers") if kind == "depth" else ("temperature", "sentences", "masking", "learning-rate")
    of_two(column, "0", "4").to_csv(tmp_path / "wrong.csv", index=False)
    of_two("corpus", "one").to_csv(tmp_path / "right.csv", index=False)
    draw = importlib.import_module(f"draw_{kind}").main
    for wrong in roles:
        words = [
            word for role in roles for word in (f"--{role}", f"{tmp_path}/{'wrong' if role == wrong else 'right'}.csv")
        ]
        with pytest.raises(InputError, match=f"^{column}: '0', '4' would be averaged"):
            draw([*words, "--output", str(tmp_path / "figure.png")])


def crosses(table, published, folder, monkeypatch):
    """The published values that a comparison marks, and the rows they stand in."""
    table.to_csv(folder / "table.csv", index=False)
    published.to_csv(folder / "published.csv", index=False)
    drawn = []
    monkeypatch.setattr(figures, "save", lambda figure, paths: drawn.append(figure))
    words = ["--table", str(folder / "table.csv"), "--published", str(folder / "published.csv"), "--output", "x.png"]
    importlib.import_module("draw_comparison").main(words)
    marked = [line for axis in drawn[0].axes for line in axis.lines if line.get_marker() == "x"]
    return sorted((float(value), int(row)) for line in marked for value, row in zip(*line.get_data(), strict=True))


def test_a_comparison_marks_published_numbers_of_last_layers(tmp_path, monkeypatch):
    """A bag of words has layer 0, which is no reason to mark an encoder's."""
    table = pd.concat([scores(["A"], ("one",)), scores(["TF-IDF"], ("one",), last_layer=0)]).assign(x=None)
    published = table[table["seed"] == 1].assign(seed=None)
    assert crosses(table, published, tmp_path, monkeypatch) == [(pytest.approx(0.31), 1), (pytest.approx(0.51), 0)]


def test_a_comparison_marks_the_published_number_of_the_swept_value(tmp_path, monkeypatch):
    plain = scores(["A"], ("one",))
    table = pd.concat([plain.assign(x=x, label=f"A, epochs {x}") for x in (1, 2, 3)])
    published = pd.concat(
        [plain[plain["seed"] == 1].assign(seed=None, x=float(x), value=x / 10, label=f"A, epochs {x}") for x in (1, 2)]
    )
    assert crosses(table, published, tmp_path, monkeypatch) == [(0.1, 0), (0.2, 1)]


def of_blocks(classification=True) -> pd.DataFrame:
    """A table of scores on the paper's tasks, with and without the classification block, at two steps and layers."""
    found = [
        scores(["A"], tuple(sorted(tasks)), last_layer=1).assign(block=block, value=0.1 + 0.1 * place)
        for place, (block, tasks) in enumerate(blocks.PAPER_TASKS.items())
        if classification or block != "classification"
    ]
    table = pd.concat(found).assign(score="mteb")
    table["value"] += 0.01 * table["layer"]
    return pd.concat([table.assign(step=step, value=table["value"] + step / 1000) for step in (0, 10)])


def lines_of(axis):
    """The lines and crosses of a panel by their label, as points."""
    return {line.get_label(): [tuple(point) for point in line.get_xydata().tolist()] for line in axis.lines}


@pytest.mark.parametrize(
    ("classification", "marked"), [(False, "Mean of four blocks (v1)"), (True, "Mean of five blocks (v2)")]
)
def test_published_means_lie_on_the_line_of_the_same_blocks(classification, marked, tmp_path, monkeypatch):
    of_blocks().query("layer == 1").to_csv(tmp_path / "table.csv", index=False)
    published = of_blocks(classification).query("seed == 1 and layer == 1").assign(seed=None)
    published.to_csv(tmp_path / "published.csv", index=False)
    drawn = []
    monkeypatch.setattr(figures, "save", lambda figure, paths: drawn.append(figure))
    words = f"--table {tmp_path}/table.csv --published {tmp_path}/published.csv --output x.png".split()
    draw_benchmark_steps.main(words)
    (axis,) = drawn[0].axes
    found = lines_of(axis)
    assert found["Mean of four blocks (v1)"] == [(0, pytest.approx(0.26)), (10, pytest.approx(0.27))]
    assert found["Mean of five blocks (v2)"] == [(0, pytest.approx(0.31)), (10, pytest.approx(0.32))]
    means = {name for name in found if name.startswith("Mean")}
    assert means <= {text.get_text() for text in axis.get_legend().get_texts()}
    on = {name for name in means if set(found[name]) <= set(found["published"])}
    assert on == {"Mean of four blocks (v1)", marked}


@pytest.mark.parametrize(
    ("published", "shown", "middle"),
    [
        (None, "mean of five blocks (v2)", 0.3),
        (of_blocks(), "mean of five blocks (v2)", 0.3),
        (of_blocks(classification=False), "mean of four blocks (v1)", 0.25),
    ],
)
def test_the_mean_by_layer_is_of_the_blocks_that_were_published(published, shown, middle, tmp_path, monkeypatch):
    of_blocks().query("step == 0").to_csv(tmp_path / "table.csv", index=False)
    words = ["--benchmark", f"{tmp_path}/table.csv"]
    if published is not None:
        published.query("step == 0 and seed == 1").assign(seed=None).to_csv(tmp_path / "published.csv", index=False)
        words += ["--published-benchmark", f"{tmp_path}/published.csv"]
    drawn = []
    monkeypatch.setattr(figures, "save", lambda figure, paths: drawn.append(figure))
    importlib.import_module("draw_depth").main([*words, "--output", "x.png"])
    (axis,) = drawn[0].axes
    found = lines_of(axis)
    line = [(0, pytest.approx(middle)), (1, pytest.approx(middle + 0.01))]
    assert axis.get_ylabel().split("\n")[1] == shown
    assert found["A"] == line
    assert found.get("published", line) == line
    assert ("published" in found) == (published is not None)


def test_maps_of_texts_without_labels_are_coloured_by_named_clusters(tmp_path, monkeypatch):
    ids = [f"t{row}" for row in range(30)]
    parts = [
        pd.DataFrame({"series": series, "corpus": "notes", "id": ids, "label": None, "x": range(30), "y": range(30)})
        for series in ("Before", "After")
    ]
    pd.concat(parts).to_parquet(tmp_path / "maps.parquet")
    pd.DataFrame({"id": ids[::-1], "cluster": [0, 1, 2] * 10}).to_parquet(tmp_path / "clusters.parquet")
    names = ["graph, node", "$x$, matrix", "naïve, 日本語"]
    pd.DataFrame({"cluster": range(3), "name": names, "texts": 10}).to_csv(tmp_path / "names.csv", index=False)
    drawn = []
    monkeypatch.setattr(figures, "save", lambda figure, paths: drawn.append(figure))
    clusters = ["--entry", "notes", str(tmp_path / "clusters.parquet"), str(tmp_path / "names.csv")]
    draw_maps.main(
        ["--maps", str(tmp_path / "maps.parquet"), *clusters, "--no-score", "--output", str(tmp_path / "map.png")]
    )
    first, second = drawn[0].axes
    assert {text.get_text() for text in second.texts} >= {"graph", "$x$", "naïve"}
    assert [text.get_text() for text in first.texts] == ["Before"]
    for axis in (first, second):
        colors = axis.collections[1].get_facecolor()
        assert len({tuple(color) for color in colors}) == 3
        assert tuple(colors[0]) == tuple(colors[3]) != tuple(colors[1])


@pytest.mark.slow
def test_the_colours_are_the_same_whether_they_are_found_by_compiled_code_or_not():
    program = (
        "import sys; from selfembed.drawing import figures; figures.UNCOMPILED = int(sys.argv[1]);"
        "print(*figures.palette([str(number) for number in range(12)]).values())"
    )
    uncompiled, compiled = (
        subprocess.run(
            [sys.executable, "-c", program, limit], capture_output=True, text=True, check=True, cwd=SCRIPTS
        ).stdout.split()
        for limit in ("50", "0")
    )
    assert len(set(uncompiled)) == 12
    assert uncompiled == compiled


def diverging(table, labels):
    """A table in which one seed of the first label diverged, and all seeds of the others, once they were trained."""
    trained = table["step"] != "0"
    some = (table["label"] == labels[0]) & (table["seed"] == 1)
    return table.assign(value=table["value"].mask(trained & (some | table["label"].isin(labels[1:]))))


def bases(table):
    """A table with the same models before fine-tuning."""
    table = table.assign(encoder=table["label"].str.lower())
    return pd.concat([table.assign(step="0", recipe=None), table.assign(step="10", recipe="crops")])


@pytest.mark.slow
@pytest.mark.parametrize("labels", [["A", "B"], ["A", "B", "C"]], ids=["one is left", "none is left"])
@pytest.mark.parametrize(
    ("kind", "table", "words"),
    [
        ("comparison", scores("ABC", ("one",)), ()),
        ("layers", scores("ABC", ("one",)), ()),
        ("adaptation", bases(scores("ABC", ("one",))), ("--reference", "A", "--shifted", "B", "--shift-step", "10")),
        ("before_after", bases(scores("ABC", ("one",))), ()),
    ],
)
def test_runs_that_diverged_leave_room_for_the_others(kind, table, words, labels, tmp_path):
    labels = labels if len(labels) == 2 else [labels[0], *labels]
    assert draw(kind, diverging(table, labels), tmp_path, *words).startswith(b"\x89PNG")


def test_a_comparison_says_what_diverged(tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(figures, "save", lambda figure, paths: drawn.append(figure))
    diverging(scores("ABC", ("one",)), ["A", "B"]).to_csv(tmp_path / "table.csv", index=False)
    importlib.import_module("draw_comparison").main(["--table", str(tmp_path / "table.csv"), "--output", "x.png"])
    said = [text.get_text() for text in drawn[0].axes[0].texts]
    assert said == ["52.0 (1 of 2 seeds)", "diverged", "51.5"]


@pytest.mark.parametrize("role", ["freezing", "layers"])
def test_depth_has_gaps_where_runs_diverged(role, tmp_path, monkeypatch):
    table = pd.concat([scores("A", ("one",), 1).assign(x=x, label=f"A, x {x}") for x in (1, 2, 3)])
    table = table[table["label"] == "A, x 2"] if role == "layers" else table
    table.assign(value=table["value"].mask(table["label"] == "A, x 2")).to_csv(tmp_path / "table.csv", index=False)
    drawn = []
    monkeypatch.setattr(figures, "save", lambda figure, paths: drawn.append(figure))
    words = [f"--{role}", str(tmp_path / "table.csv"), "--output", "x.png"]
    importlib.import_module("draw_depth").main(words)
    lines = {line.get_label(): line for line in drawn[0].axes[0].lines}
    assert pd.isna(lines["A"].get_ydata()).tolist() == {"freezing": [False, True, False], "layers": [True, True]}[role]
    assert list(lines["diverged"].get_xdata()) == {"freezing": [2], "layers": [0, 1]}[role]


def test_a_benchmark_without_a_run_that_went_well_is_one_clear_line(tmp_path):
    assert "nothing to draw" in refused("benchmark_steps", benchmark().assign(value=None), tmp_path)


@pytest.mark.slow
def test_a_benchmark_ends_where_all_runs_diverged(tmp_path):
    table = benchmark()
    assert draw("benchmark_steps", table.assign(value=table["value"].mask(table["step"] == "10")), tmp_path)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        ([0.3, 0.4], ["30%", "40%"]),
        ([0.305, 0.31, 0.315], ["30.5%", "31.0%", "31.5%"]),
        ([0.3125, 0.315], ["31.25%", "31.50%"]),
    ],
)
def test_percentages_of_ticks_are_different(values, labels):
    _, axes = figures.plt.subplots()
    figures.percent_axis(axes.yaxis)
    assert axes.yaxis.get_major_formatter().format_ticks(values) == labels
