"""Published numbers in as ours: then no figure and no table of the paper's config may show a difference.

Once the published numbers themselves are the scores; once they are the scores that the config plans, with other numbers
wherever nothing was published, so that what has no published counterpart cannot be compared with one unnoticed.
"""

import importlib
import re
import shlex
import zlib

import numpy as np
import pandas as pd
import pytest
import yaml

import compare_with_paper
import extract_published
import lay_out_scores
from selfembed.drawing import figures
from selfembed.evidence import blocks
from selfembed.jobs import records
from selfembed.scores import tables
from selfembed.study import expansion
from selfembed.study.validation import load
from selfembed.workflow.flags import flags, measures
from workflow_runs import ROOT

SETTINGS = load(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))
STUDY = expansion.expand(SETTINGS)
PAPER = pd.read_csv(ROOT / SETTINGS.published, keep_default_na=False, na_values=[""])
# By less than a millionth, so that no mean lies where the last digits of a sum decide how it is rounded.
PAPER["value"] += [1e-6 * (zlib.crc32(str(row).encode()) / 2**32 - 0.5) for row in PAPER.index]
PUBLISHED = set(PAPER["experiment"])
KEY = ["experiment", "series", "x", "corpus", "step", "layer", "pooling", "score"]


def marks_published_numbers(figure):
    """Whether the script of a figure takes published numbers."""
    return "published" in (ROOT / "scripts" / f"draw_{figure.draw}.py").read_text(encoding="utf-8")


FIGURES = [
    name
    for name, figure in SETTINGS.figures.items()
    if marks_published_numbers(figure) and PUBLISHED & set(figure.experiments.values())
]
TABLES = [
    name for name, table in SETTINGS.tables.items() if table.lay_out == "scores" and table.experiment in PUBLISHED
]
WAYS = ("published", "planned")


def number(value):
    """A key's value as text: 10, 10.0 and "10" are the same."""
    try:
        return "" if pd.isna(value) else f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value)


def keys(table):
    """What identifies the number in every row."""
    return [tuple(map(number, row)) for row in table[KEY].itertuples(index=False, name=None)]


VALUES = dict(zip(keys(PAPER), PAPER["value"], strict=True))


def planned_rows(experiment):
    """The rows of an experiment's table, without values."""
    for item in STUDY.experiments[experiment]:
        encoder = SETTINGS.encoders[item.model.encoder]
        last = encoder.layers
        poolings, layers = expansion.selected(item.selection, last)
        task = SETTINGS.tasks.get(item.on)
        for pooling in poolings if item.score else []:
            for layer in layers:
                yield dict.fromkeys([*tables.LINE_COLUMNS, *tables.SCORE_COLUMNS]) | {
                    "experiment": experiment,
                    "label": item.line.label,
                    "series": item.line.series,
                    "x": item.line.x,
                    "group": item.line.group,
                    "corpus": item.on,
                    "block": task.block if task else None,
                    "model": item.model.path,
                    "encoder": item.model.encoder,
                    "training_corpus": item.model.corpus,
                    "recipe": item.model.recipe,
                    "seed": item.model.seed,
                    "step": item.step,
                    "layer": layer,
                    "last_layer": last,
                    "pooling": pooling,
                    "score": item.score,
                    "standard_error": 0.01,
                }


def planned(experiment):
    """The table that the config plans: seeds around the published number, or around another where there is none."""
    table = pd.DataFrame(planned_rows(experiment))
    table = table.assign(seed=table["seed"].astype("Int64"))
    found = keys(table)
    other = [0.1 + zlib.crc32(repr(key).encode()) / 2**32 / 10 for key in found]
    middle = [VALUES.get(key, value) for key, value in zip(found, other, strict=True)]
    places = table.groupby(pd.Series(found)).cumcount()
    seeds = places.groupby(pd.Series(found)).transform("count")
    return table.assign(value=middle + 0.002 * (places - (seeds - 1) / 2))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Every experiment's published numbers, and the table that the config plans."""
    found = tmp_path_factory.mktemp("round_trip")
    for way in WAYS:
        (found / way).mkdir()
    records.write_table(PAPER, found / "paper.csv")
    for experiment in PUBLISHED:
        words = ["--published", str(found / "paper.csv"), "--experiment", experiment]
        extract_published.main([*words, "--output", str(found / "published" / f"{experiment}.csv")])
        records.write_table(planned(experiment).drop(columns="experiment"), found / "planned" / f"{experiment}.csv")
    return found


def table_words(experiments, folder, way):
    """The tables of a figure or table, ours and published, as its rule gives them."""
    for role, experiment in experiments.items():
        if experiment in PUBLISHED:
            role = role.replace("_", "-")
            ours, theirs = ("table", "published") if role == "experiment" else (role, f"published-{role}")
            yield from (f"--{ours}", str(folder / way / f"{experiment}.csv"))
            yield from (f"--{theirs}", str(folder / "published" / f"{experiment}.csv"))


def drawn(name, folder, way, monkeypatch):
    """A figure, before it is saved."""
    settings = SETTINGS.figures[name]
    words = shlex.split(flags(settings, omit=("draw", "title", "caption", *settings.panels)))
    caught = []
    monkeypatch.setattr(figures, "save", lambda figure, paths: caught.append(figure))
    script = importlib.import_module(f"draw_{settings.draw}")
    script.main([*table_words(settings.experiments, folder, way), *words, "--output", "figure.png"])
    return caught[0]


def points(axis):
    """Where our numbers stand in a panel, and the crosses."""
    crosses = [line.get_xydata() for line in axis.lines if line.get_marker() == "x"]
    ours = [line.get_xydata() for line in axis.lines if line.get_marker() != "x"]
    ours += [found.get_offsets() for found in axis.collections]
    return (np.concatenate([np.empty((0, 2)), *map(np.asarray, found)]).astype(float) for found in (ours, crosses))


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", FIGURES)
def test_every_cross_lies_on_what_is_drawn(name, way, folder, monkeypatch):
    figure = drawn(name, folder, way, monkeypatch)
    number_of_crosses = 0
    for axis in figure.axes:
        ours, crosses = points(axis)
        for cross in crosses:
            assert np.abs(ours - cross).max(axis=1).min() < 1e-9, cross
        number_of_crosses += len(crosses)
    figures.plt.close(figure)
    assert number_of_crosses


def laid_out(name, folder, way, tmp_path):
    """A table, as its files say it: cells by row and column."""
    settings = SETTINGS.tables[name]
    words = shlex.split(flags(settings, omit=("title", "lay_out", "experiment")))
    repeated = expansion.repeated(SETTINGS.experiments[settings.experiment].corpora, SETTINGS) if settings.means else []
    words += ["--repeated", *repeated] if repeated else []
    files = [str(tmp_path / f"table{ending}") for ending in (".csv", ".tex", ".html")]
    tables_shown = table_words({"experiment": settings.experiment}, folder, way)
    words += shlex.split(measures(SETTINGS.numbers(SETTINGS.experiments[settings.experiment])))
    lay_out_scores.main([*tables_shown, *words, "--output", *files])
    table = pd.read_csv(files[0], index_col=0, keep_default_na=False, dtype=str)
    return {(row, column): cell for row, cells in table.iterrows() for column, cell in cells.items() if cell}


CELL = re.compile(r"(?P<ours>[\d.]+)(?: ± [\d.]+)?(?: \((?P<published>[\d.]+)\))?")


def parts(mean, cells, corpora):
    """The cells that a mean in some cells of a series is over; `corpora` are those that count."""
    tasks = SETTINGS.tasks
    if mean.endswith("corpora"):
        return [name for name in cells if name in corpora]
    version = mean.partition("(")[2].rstrip(")")
    wanted = blocks.VERSIONS[version] if version else [mean.removeprefix("mean of ")]
    if mean.endswith("blocks"):
        wanted = {tasks[name].block for name in cells if name in tasks} - set(blocks.WITHOUT_MEAN)
    return [name for name in cells if name in tasks and tasks[name].block in wanted]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", TABLES)
def test_every_cell_shows_the_published_number_that_it_is(name, way, folder, tmp_path):
    settings = SETTINGS.tables[name]
    found = {place: CELL.fullmatch(cell) for place, cell in laid_out(name, folder, way, tmp_path).items()}
    for place, cell in found.items():
        assert cell["published"] in (None, cell["ours"]), place
    compared = {place for place, cell in found.items() if cell["published"]}
    ours = pd.read_csv(folder / way / f"{settings.experiment}.csv", keep_default_na=False, na_values=[""])
    shown = tables.chosen(
        tables.last_layers(ours),
        series=settings.series,
        score=settings.scores,
        step=settings.steps,
        pooling=[*settings.poolings, "none"],
    )
    known = [key in VALUES for key in keys(shown.assign(experiment=settings.experiment))]
    expected = {tuple(map(str, place)) for place in shown.loc[known, [settings.rows, settings.columns]].to_numpy()}
    means = {place for place in found if any(str(axis).startswith("mean of ") for axis in place)}
    assert compared - means == expected
    assert expected
    if settings.means:
        check_means(means, found, compared, settings)


def check_means(means, found, compared, settings):
    """Every mean has its published partner where all its parts have, and only there."""
    experiment = SETTINGS.experiments[settings.experiment]
    corpora = set(experiment.corpora) - set(expansion.repeated(experiment.corpora, SETTINGS))
    over = settings.rows == "corpus"
    for place in means:
        mean, other = place if over else place[::-1]
        cells = {
            (row if over else column): (row, column) for row, column in found if other == (column if over else row)
        }
        needed = parts(mean, cells, corpora)
        assert needed, mean
        assert (place in compared) == all(cells[name] in compared for name in needed), place
    assert means & compared


def test_a_series_published_with_four_blocks_has_no_published_mean_of_five(folder, tmp_path):
    cells = laid_out("table_without_pretraining", folder, "planned", tmp_path)
    four, five = "mean of four blocks (v1)", "mean of five blocks (v2)"
    assert cells["mean of classification", "Embedding layer (10 epochs)"].count("(") == 0
    for series in ("Embedding layer (10 epochs)", "Random BERT (1 epoch)", "Random BERT (10 epochs)"):
        assert "(" in cells[four, series]
        assert "(" not in cells[five, series]
    assert cells[four, "MPNet (Crops)"].endswith("(48.7)")
    assert cells[five, "MPNet (Crops)"].endswith("(51.8)")


def test_the_tables_means_are_the_papers(folder, tmp_path):
    """Of six corpora: without arXiv's main labels, whose texts count once (paper, in-domain table)."""
    cells = laid_out("table_in_domain", folder, "planned", tmp_path)
    paper = {"MPNet": 46.5, "SBERT": 59.5, "MPNet (Crops)": 55.8, "MPNet (Dropout)": 49.1, "BGE-base": 60.0}
    for series, value in paper.items():
        assert cells[series, "mean of six corpora"] == f"{value} ({value})"


def test_blocks_of_the_papers_versions_are_those_of_the_config():
    tasks = {}
    for name in SETTINGS.experiments["mteb"].tasks:
        tasks.setdefault(SETTINGS.tasks[name].block, set()).add(name)
    assert {block: tasks[block] for block in blocks.PAPER_TASKS} == blocks.PAPER_TASKS


def test_the_comparison_of_all_numbers_has_no_difference(folder, tmp_path, monkeypatch):
    names = sorted(PUBLISHED)
    words = [
        "--published",
        str(folder / "paper.csv"),
        "--tables",
        *(f"{folder}/planned/{name}.csv" for name in names),
    ]
    path = tmp_path / "paper_comparison.csv"
    words += ["--markdown", str(path.with_suffix(".md")), "--page", str(path.with_suffix(".html"))]
    compare_with_paper.main([*words, "--output", str(path)])
    comparison = pd.read_csv(path, keep_default_na=False, na_values=[""])
    run = comparison[comparison["n_seeds"] > 0]
    assert set(run["experiment"]) == PUBLISHED
    assert run["difference"].abs().max() < 1e-9
    caught = []
    monkeypatch.setattr(figures, "save", lambda figure, paths: caught.append(figure))
    importlib.import_module("draw_agreement").main(["--comparison", str(path), "--output", "figure.png"])
    axis = caught[0].axes[0]
    drawn = np.concatenate([line.get_xydata() for line in axis.lines])
    assert len(drawn) >= len(run)
    assert np.abs(drawn[:, 0] - drawn[:, 1]).max() < 1e-9
