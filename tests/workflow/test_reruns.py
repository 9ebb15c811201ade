"""An edit reruns exactly what it can change: dry runs on a finished smoke run."""

import os
import re
from contextlib import ExitStack, contextmanager

import pytest
import yaml

from selfembed.study.validation import load
from workflow_runs import cold_snakemake, planned, snakemake

SMOKE = ("--configfile", "config/smoke.yaml")


@contextmanager
def edited(path, change):
    """Change a file's text for the length of a block, then restore text and time."""
    before, times = path.read_text(encoding="utf-8"), path.stat()
    path.write_text(change(before), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


# What a new adapted model, and new exports of it, are followed by: two exports, and scores on two corpora.
EXPORTED = {"export_model": 2, "embed_export": 6, "score_knn": 3, "score_title_pairs": 3, "compare_exports": 1}


def with_statement(text):
    return text + "\nEDITED = 1\n"


def config_edit(change):
    """An edit of a config file as a function of its text."""

    def edit(text):
        config = yaml.safe_load(text)
        change(config)
        return yaml.safe_dump(config, sort_keys=False)

    return edit


def planned_after(finished, name, change, *targets):
    with edited(finished / name, change):
        return planned(finished, *targets, *SMOKE)


def test_a_second_run_has_nothing_to_do(finished):
    done = snakemake(finished, *SMOKE, "--cores", "2")
    assert done.returncode == 0
    assert "Nothing to be done" in done.stdout


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            [
                "draw_comparison.py",
                "draw_layers.py",
                "draw_benchmark_steps.py",
                "draw_depth.py",
                "draw_before_after.py",
            ],
            {"draw_comparison": 1, "draw_layers": 2, "draw_benchmark_steps": 1, "draw_depth": 1, "draw_before_after": 2}
            | {"write_report": 1},
        ),
        (
            ["draw_losses.py", "draw_maps.py", "draw_adaptation.py", "draw_hyperparameters.py", "draw_classes.py"],
            {"draw_losses": 1, "draw_maps": 1, "draw_adaptation": 1, "draw_hyperparameters": 1, "draw_classes": 1}
            | {"write_report": 1},
        ),
        (
            ["draw_agreement.py", "lay_out_corpora.py", "lay_out_differences.py", "summarise_scores.py"],
            {"draw_agreement": 1, "lay_out_corpora": 1, "lay_out_differences": 3, "summarise_scores": 18},
        ),
        (
            ["judge_claims.py", "draw_interactive_map.py", "compare_exports.py"],
            {"judge_claims": 1, "draw_interactive_map": 2, "compare_exports": 1, "write_report": 1},
        ),
        (
            [f"selfembed/pages/{page}/style.css" for page in ("claims_page", "interactive_map", "report_page")],
            {"judge_claims": 1, "draw_interactive_map": 2, "write_report": 1},
        ),
        (["name_clusters.py"], {"name_clusters": 2, "draw_interactive_map": 2, "write_report": 1}),
        (["find_neighbors.py"], {"find_neighbors": 4, "draw_interactive_map": 2, "write_report": 1}),
        (["choose_model.py"], {"choose_model": 1, "package_model": 1, "write_report": 1} | EXPORTED),
        (["package_model.py"], {"package_model": 1, "write_report": 1} | EXPORTED),
        (["write_report.py"], {"write_report": 1}),
        (
            ["export_model.py"],
            {"write_report": 1} | EXPORTED | {"embed_export": 4, "score_knn": 2, "score_title_pairs": 2},
        ),
        (["selfembed/pages/plain_words.py"], {"package_model": 1, "write_report": 1} | EXPORTED),
        (["selfembed/study/expansion.py", "../README.md"], {}),
    ],
)
def test_edited_files_rerun_only_their_own_steps(finished, names, expected):
    """Files are edited at once if none of them is an input of another's steps, which takes a dry run less for each."""
    with ExitStack() as edits:
        for name in names:
            edits.enter_context(edited(finished / "scripts" / name, with_statement))
        assert planned(finished, *SMOKE) == expected


def test_edited_neighbors_rerun_scores_tables_and_figures_but_no_training(finished):
    jobs = planned_after(finished, "scripts/selfembed/scores/neighbors.py", with_statement)
    assert {"score_knn", "collect_scores", "summarise_scores", "draw_comparison", "draw_layers"} <= set(jobs)
    assert not {"embed", "fine_tune", "score_mteb", "score_linear", "compute_tsne"} & set(jobs)
    scored = [path for path in (finished / "results/smoke/scores").iterdir() if path.name.startswith("knn")]
    assert jobs["score_knn"] == sum(len(list(folder.rglob("*.csv"))) for folder in scored)


def test_an_edit_is_planned_alike_by_a_forked_process_and_in_a_new_interpreter(finished):
    with edited(finished / "scripts/selfembed/training/training.py", with_statement):
        assert planned(finished, *SMOKE) == planned(finished, *SMOKE, run=cold_snakemake)


def test_edited_training_reruns_runs_but_no_base_model_and_no_pairs(finished):
    jobs = planned_after(finished, "scripts/selfembed/training/training.py", with_statement)
    assert jobs["fine_tune"] == len(list((finished / "results/smoke/models/tuned").rglob("run.json")))
    assert not {"make_pairs", "prepare_corpus", "build_random_model", "train_tokenizer"} & set(jobs)


def test_unrelated_config_keys_and_a_tracker_rerun_nothing(finished):
    def change(config):
        config["recipes"]["unused"] = {"augmentation": "crops", "epochs": 7}
        config["encoders"]["unused"] = {"type": "svd", "components": 3}
        config["corpora"]["unused"] = {"source": {"type": "python_docs", "packages": ["sympy"]}}
        config["report_to"] = "tensorboard"

    assert planned_after(finished, "config/smoke.yaml", config_edit(change)) == {}


def test_a_changed_temperature_retrains_only_the_runs_that_use_it(finished):
    def change(config):
        config["recipes"]["crops"]["temperature"] = 0.1

    target = "figures/smoke/augmentations.png"
    jobs = planned_after(finished, "config/smoke.yaml", config_edit(change), target)
    jobs.pop("extract_published", None)
    assert jobs == {"fine_tune": 2, "embed": 2, "score_knn": 2, "collect_scores": 1, "draw_comparison": 1}


def test_another_k_reruns_scores_but_no_embedding(finished):
    jobs = planned_after(finished, "config/smoke.yaml", config_edit(lambda config: config["scores"]["knn"].update(k=5)))
    assert {"score_knn", "collect_scores"} <= set(jobs)
    assert not {"embed", "fine_tune"} & set(jobs)


def test_a_new_experiment_adds_only_its_own_jobs(finished):
    def change(config):
        models = [{"encoder": "tiny_bert", "recipe": "crops", "sweep": {"temperature": [0.05, 5.0]}}]
        config["experiments"]["new"] = {"corpora": ["python_docs"], "seeds": [42], "models": models}

    jobs = planned_after(finished, "config/smoke.yaml", config_edit(change))
    new = {"fine_tune": 1, "embed": 1, "score_knn": 1, "collect_scores": 1, "summarise_scores": 1}
    assert jobs == new | {"compare_with_paper": 1, "draw_agreement": 1}


def test_another_seed_adds_only_its_own_runs(finished):
    change = config_edit(lambda config: config["experiments"]["augmentations"].update(seeds=[42, 43, 44]))
    jobs = planned_after(finished, "config/smoke.yaml", change)
    assert jobs["fine_tune"] == 2
    assert jobs["build_random_model"] == 1
    assert jobs["make_pairs"] == 2
    assert jobs["embed"] == 3


def test_another_title_and_another_claim_write_report_and_claims_again_and_nothing_else(finished):
    def change(config):
        config["report"]["title"] = "Another"
        config["claims"]["order"]["sentence"] = "Another sentence."

    expected = {"write_report": 1, "judge_claims": 1}
    assert planned_after(finished, "config/smoke.yaml", config_edit(change)) == expected


def test_no_run_is_trained_again_because_it_may_diverge_now(finished):
    """What used to be models of their own are values of sweeps: the same runs, and now a divergence is a result."""

    def sweep_everything(config):
        for group in ("figures", "tables", "claims", "report"):
            config.pop(group, None)
        recipes = load(config).recipes
        for experiment in config["experiments"].values():
            for entry in experiment["models"]:
                if "recipe" in entry and "sweep" not in entry:
                    entry["sweep"] = {"temperature": [recipes[entry["recipe"]].temperature]}

    asked = {}
    for name, change in (("before", lambda config: None), ("after", sweep_everything)):
        with edited(finished / "config/smoke.yaml", config_edit(change)):
            done = snakemake(finished, "--dry-run", "--forcerun", "fine_tune", *SMOKE)
            asked[name] = set(re.findall(r"may_diverge=(\d)", done.stdout))
            assert name == "before" or "fine_tune" not in planned(finished, *SMOKE)
    assert asked == {"before": {"0", "1"}, "after": {"1"}}
