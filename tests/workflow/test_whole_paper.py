"""config.yaml holds the whole paper: every experiment has jobs, every published number a place, no run a twin."""

import csv
import re
import time

import pytest
import yaml

from selfembed.settings.expansion import expand
from selfembed.settings.validation import load
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


def test_nearly_every_published_number_has_a_score_to_compare_with():
    """What has none: encoders that are left out, and numbers copied from a leaderboard."""
    planned_scores = set()
    for name, evaluations in STUDY.experiments.items():
        for item in evaluations:
            poolings = item.selection.split("_")[0].split("-")
            key = (
                name,
                item.line.series,
                "" if item.line.x is None else number(item.line.x),
                item.on,
                number(item.step),
            )
            planned_scores |= {(*key, pooling, item.score) for pooling in poolings}
    names = ("experiment", "series", "x", "corpus", "step", "pooling", "score")
    without = [row for row in rows("paper.csv") if tuple(number(row[key]) for key in names) not in planned_scores]
    left_out = ("DeCLUTR",)
    unexpected = [
        row
        for row in without
        if not row["series"].startswith(left_out)
        and not (row["experiment"] == "mteb" and row["series"].startswith("BGE"))
        and not (row["experiment"] == "mteb_steps" and row["block"] == "sts_v1")  # in no line of Figure 1
        and not (row["experiment"] == "adaptation" and row["step"] == "340")  # our runs may have fewer steps
    ]
    assert [tuple(row[key] for key in names) for row in unexpected] == []


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
def jobs(checkout):
    started = time.monotonic()
    found = planned(checkout)
    return found, time.monotonic() - started


def test_the_whole_plan_is_made_offline_and_its_size_is_in_the_docs(jobs):
    counts, seconds = jobs
    print(f"planned in {seconds:.0f} s")
    page = (ROOT / "docs" / "reproducing.md").read_text(encoding="utf-8")
    documented = {
        rule: int(count.replace(",", "")) for rule, count in re.findall(r"^\| `(\w+)` \| ([\d,]+) \|", page, re.M)
    }
    assert documented == counts


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


def test_figures_are_drawn_from_published_numbers_alone(tmp_path):
    folder = copy_of_checkout(tmp_path)
    done = snakemake(folder, "published", "--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:]
    drawn = {path.stem for path in (folder / "figures" / "published").glob("*.pdf")}
    assert drawn >= {"figure1", "figure3", "figure4", "figure_s1", "figure_s2", "base_models", "base_models_cls"}
    assert not (folder / "results" / "models").exists()


def test_every_fault_of_the_original_has_its_row():
    page = (ROOT / "docs" / "deviations.md").read_text(encoding="utf-8")
    assert [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.M)] == list(range(1, 35))
