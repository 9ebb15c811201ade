"""config.yaml holds the whole paper: every experiment has jobs, every published number a place, no run a twin."""

import csv
import itertools
import re

import pandas as pd
import pytest
import yaml

from selfembed.study.expansion import expand, selected
from selfembed.study.validation import load
from workflow_runs import ROOT, copy_of_checkout, planned, snakemake

SETTINGS = load(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))
STUDY = expand(SETTINGS)

# Rows of the paper's list of experiments.
IDS = [
    *("E03" + letter for letter in "abcdefghij"),
    *("E04" + letter for letter in "abc"),
    "E05",
    *("E06" + letter for letter in "abcde"),
    "E07",
    "E09",
    *("E10" + letter for letter in "abcdefgh"),
    *("E11" + letter for letter in "abcd"),
    *("E12" + letter for letter in "abcdefg"),
    *("E13", "E14", "E15", "E16", "E17", "E18"),
]


def rows(name):
    with open(ROOT / "reference" / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_experiment_of_the_paper_maps_to_evaluations():
    mapping = {row["id"]: row["experiments"].split() for row in rows("experiments.csv")}
    assert list(mapping) == IDS
    for experiments in mapping.values():
        assert experiments
        assert all(STUDY.experiments[name] for name in experiments)


def test_every_experiment_is_in_the_paper():
    mapped = {name for row in rows("experiments.csv") for name in row["experiments"].split()}
    assert set(SETTINGS.experiments) == mapped


def test_every_published_experiment_and_corpus_is_known():
    published = rows("paper.csv")
    assert {row["experiment"] for row in published} <= set(SETTINGS.experiments)
    assert {row["corpus"] for row in published} <= {*SETTINGS.corpora, *SETTINGS.tasks}


def number(value):
    """A key's value as text: 10, 10.0 and "10" are the same."""
    try:
        return f"{float(value):g}"
    except (TypeError, ValueError):
        return str(value or "")


def planned_scores():
    """What is planned for every place of a published number: encoder, recipe, corpus of training, block."""
    found = {}
    for name, evaluations in STUDY.experiments.items():
        for item in evaluations:
            encoder = SETTINGS.encoders[item.model.encoder]
            poolings, layers = selected(item.selection, encoder.layers)
            block = SETTINGS.tasks[item.on].block if item.on in SETTINGS.tasks else ""
            model = (item.model.encoder, item.model.recipe or "", item.model.corpus or "", block)
            for pooling, layer in itertools.product(poolings, layers):
                place = (name, item.line.series, item.line.x, item.on, item.step, layer, pooling, item.score)
                found[tuple(map(number, place))] = model
    return found


PLANNED = planned_scores()
NAMES = ("experiment", "series", "x", "corpus", "step", "layer", "pooling", "score")


def place_of(row):
    return tuple(number(row[name]) for name in NAMES)


def test_every_published_number_has_a_planned_score_or_a_written_reason():
    without = [place_of(row) for row in rows("paper.csv") if place_of(row) not in PLANNED and not row["not_comparable"]]
    assert without == []


def test_a_published_number_stands_once():
    found = [place_of(row) for row in rows("paper.csv")]
    assert len(set(found)) == len(found)


def test_a_published_number_is_of_the_model_that_is_planned():
    """Where no sweep renames recipes, also of its recipe and training corpus."""
    for row in rows("paper.csv"):
        if place_of(row) in PLANNED:
            encoder, recipe, corpus, block = PLANNED[place_of(row)]
            assert (row["encoder"], row["block"]) == (encoder, block), place_of(row)
            if not row["x"] and row["step"] != "0":
                assert (row["recipe"], row["training_corpus"]) == (recipe, corpus), place_of(row)


def blocks_of(experiment, series):
    """Block means of published numbers in per cent, to a tenth as in the paper, and their mean."""
    scores = pd.DataFrame(
        row for row in rows("paper.csv") if (row["experiment"], row["series"]) == (experiment, series)
    )
    values = scores.assign(value=scores["value"].astype(float)).groupby("block", sort=False)["value"].mean()
    means = [round(100 * values[block], 1) for block in ("clustering", "reranking", "retrieval", "sts")]
    return [*means, round(sum(means) / 4, 1)]


def test_the_extended_check_has_the_tasks_of_the_printed_means():
    """Printed by the study from 5, 3, 6 and 3 tasks."""
    assert blocks_of("mteb_extended", "SBERT") == [42.8, 61.8, 45.2, 83.0, 58.2]
    assert blocks_of("mteb_extended", "MPNet (Crops)") == [37.7, 52.3, 30.0, 73.4, 48.4]


def treatment(evaluation):
    """How a task scores a model: `384_unit`."""
    return evaluation.selection.split("_", 2)[2]


def test_layers_are_scored_on_mteb_as_the_study_did():
    """512 tokens, vectors as they come; models of the MTEB table alike, but for BGE."""
    layers = {treatment(item) for item in STUDY.experiments["mteb_layers"]}
    table = {(item.line.series.startswith("BGE"), treatment(item)) for item in STUDY.experiments["mteb"]}
    assert (layers, table) == ({"512_raw"}, {(True, "512_raw"), (False, "384_unit")})


def test_embedding_layers_are_trained_with_the_study_s_batches():
    batches = {
        item.on: STUDY.recipes[item.model.recipe].batch_size
        for item in STUDY.experiments["in_domain"]
        if item.line.series == "Embedding layer (10 epochs)"
    }
    large = dict.fromkeys(("arxiv", "arxiv_main", "reddit", "stackexchange"), 32)
    assert batches == {"iclr": 64, "biorxiv": 64, "medrxiv": 64, **large}


def test_seeds_on_iclr_are_the_papers_and_two_more():
    for name, evaluations in STUDY.experiments.items():
        seeds = {item.model.seed for item in evaluations if item.on == "iclr" and item.model.recipe}
        assert not seeds or seeds == ({42} if name == "maps" else {42, 23, 12}), name


def test_no_run_is_trained_twice():
    runs = {item.model for evaluations in STUDY.experiments.values() for item in evaluations if item.model.recipe}
    settings = {
        (model.encoder, model.corpus, model.seed, STUDY.recipes[model.recipe].model_dump_json()) for model in runs
    }
    assert len(settings) == len(runs)


@pytest.fixture(scope="module")
def jobs(plan_of):
    return plan_of("config.yaml")


def test_the_whole_plan_is_made_offline_and_its_size_is_in_the_docs(jobs):
    page = (ROOT / "docs" / "reproducing.md").read_text(encoding="utf-8")
    documented = {
        rule: int(count.replace(",", "")) for rule, count in re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", page, re.M)
    }
    assert documented == jobs


def test_the_readme_tells_the_number_of_jobs(jobs):
    """All of them, as snakemake counts: also the target `all`."""
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    told = re.findall(r"# what would run: ([\d,]+) jobs$", page, re.M)
    assert told == [f"{sum(jobs.values()) + 1:,}"]


FIGURES = {
    "figure1": {"score_mteb", "download_task", "draw_benchmark_steps", "fine_tune"},
    "figure2": {"compute_tsne", "collect_maps", "draw_maps", "fine_tune"},
    "figure3": {"sample_corpus", "draw_adaptation", "fine_tune"},
    "figure4": {"draw_depth", "score_mteb", "download_task", "build_random_model", "fine_tune"},
    "figure_s1": {"draw_layers", "fine_tune"},
    "figure_s2": {"draw_hyperparameters", "fine_tune"},
    "base_models": {"draw_before_after", "build_bag_of_words", "build_random_model", "fine_tune"},
    "linear_probe": {"draw_before_after", "score_linear", "fine_tune"},
    "class_distributions": {"describe_corpus", "draw_classes", "relabel_corpus"},
}
OF_SOME_FIGURES = set.union(*FIGURES.values())


@pytest.mark.parametrize("figure", FIGURES)
def test_a_figure_runs_only_what_it_needs(checkout, figure):
    needed = set(planned(checkout, figure)) - {figure}
    assert needed & OF_SOME_FIGURES == FIGURES[figure]
    assert not {rule for rule in needed if rule.startswith("lay_out") or rule.startswith("summarise")}


@pytest.mark.long
def test_figures_are_drawn_from_published_numbers_alone(tmp_path):
    folder = copy_of_checkout(tmp_path)
    done = snakemake(folder, "published", "--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:]
    drawn = {path.stem for path in (folder / "figures" / "published").glob("*.pdf")}
    assert drawn >= {"figure1", "figure3", "figure4", "figure_s1", "figure_s2", "base_models", "base_models_cls"}
    assert not (folder / "results" / "models").exists()
    page = (folder / "figures" / "published" / "claims.md").read_text(encoding="utf-8")
    assert page.count("as claimed") > 20
    assert "not as claimed" not in page


def deviations():
    """The rows of the tables of deviations: number, cells."""
    page = (ROOT / "docs" / "deviations.md").read_text(encoding="utf-8")
    return {number: cells.split(" | ") for number, cells in re.findall(r"^\| (P?\d+) \| (.+) \|$", page, re.M)}


def test_every_fault_of_the_original_has_its_row():
    assert [int(number) for number in deviations() if number.isdigit()] == list(range(1, 35))


def test_every_difference_of_protocol_has_its_row_and_is_named_by_an_experiment():
    found = deviations()
    named = {number: [] for number in found}
    for row in rows("experiments.csv"):
        for number in row["deviations"].split():
            named[number].append(row)  # a number without a row is an error
    protocol = [number for number in found if number.startswith("P")]
    assert protocol == [f"P{place}" for place in range(1, len(protocol) + 1)]
    for number in protocol:
        experiments = re.findall(r"`(\w+)`", found[number][0])
        of_the_paper = {name for row in named[number] for name in row["experiments"].split()}
        assert named[number], number
        assert set(experiments) <= set(SETTINGS.experiments) & of_the_paper, number


def test_runs_with_fine_tuning_name_the_difference_of_random_numbers():
    """One kind of difference concerns every experiment with a run: none may be silent about it."""
    untrained = {"E10a", "E10c", "E10d", "E12a", "E12d", "E12e"}  # base models in a config's experiment with runs
    for row in rows("experiments.csv"):
        evaluations = [item for name in row["experiments"].split() for item in STUDY.experiments[name]]
        if row["id"] not in untrained and any(item.model.recipe for item in evaluations):
            assert "P1" in row["deviations"].split(), row["id"]
