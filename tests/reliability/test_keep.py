"""With `keep: results`, runs and embeddings are removed, and everything else stays the same, to the byte."""

import re
import shutil

import pytest
import yaml
from tiny_study import CONFIG, KEEP, fingerprints

from workflow_runs import planned, selfembed, snakemake

pytestmark = pytest.mark.long

REMOVED = ("results/tiny/models/tuned/", "results/tiny/embeddings/")
RUN = "results/tiny/models/tuned/notes/small/crops/seed-1"


@pytest.fixture
def study(kept, tmp_path):
    """A copy of it."""
    return shutil.copytree(kept, tmp_path / "study")


def changed(study, change):
    """Change the config of a study."""
    path = study / CONFIG[1]
    config = yaml.safe_load(path.read_text())
    change(config)
    path.write_text(yaml.safe_dump(config))
    return study


def edited(study, name):
    """Add a statement to a file."""
    (study / name).write_text((study / name).read_text() + "\nEDITED = 1\n")
    return study


def test_all_that_is_kept_has_the_same_bytes(tiny, kept):
    """Seals are kept, and have the checksums of what is not."""
    everything, results = fingerprints(tiny), fingerprints(kept)
    missing = set(everything) - set(results)
    assert missing == {name for name in everything if name.startswith(REMOVED) and not name.endswith(".seal")}
    assert len([name for name in missing if name.endswith(".safetensors")]) == 1
    assert {name: everything[name] for name in results} == results


def test_nothing_is_to_be_done_then(kept):
    assert planned(kept, *CONFIG, *KEEP) == {}
    assert planned(kept, *CONFIG) == {}


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("draw_comparison", {"draw_comparison": 1}),
        ("draw_maps", {"draw_maps": 1}),
        ("summarise_scores", {"summarise_scores": 2}),
        ("collect_losses", {}),
    ],
)
def test_an_edited_figure_is_drawn_without_training(study, script, expected):
    assert planned(edited(study, f"scripts/{script}.py"), *CONFIG, *KEEP) == expected


def test_another_figure_of_scores_that_exist_needs_no_training(study):
    changed(study, lambda config: config["figures"].update(more={"draw": "comparison", "experiment": "main"}))
    assert planned(study, *CONFIG, *KEEP) == {"draw_comparison": 1}


def test_another_figure_of_losses_needs_no_training(study):
    changed(study, lambda config: config["figures"].update(losses={"draw": "losses", "experiment": "main"}))
    assert planned(study, *CONFIG, *KEEP) == {"collect_losses": 1, "draw_losses": 1}


def test_another_figure_trains_the_runs_that_it_needs_and_no_others(study):
    """A run of another recipe, on pairs and a base model that exist; the first run is not trained again."""

    def change(config):
        config["recipes"]["cold"] = config["recipes"]["crops"] | {"temperature": 0.1}
        model = {"encoder": "small", "recipe": "cold", "label": "Cold"}
        config["experiments"]["more"] = {"corpora": ["notes"], "models": [model]}
        config["figures"]["more"] = {"draw": "comparison", "experiment": "more"}

    jobs = planned(changed(study, change), *CONFIG, *KEEP)
    once = dict.fromkeys(("fine_tune", "embed", "score_knn", "collect_scores", "summarise_scores"), 1)
    assert jobs == once | {"draw_comparison": 1}


def test_another_score_of_a_removed_run_trains_it_again(study):
    """From pairs and a base model that exist; other scores are made again if they are asked for, too."""

    def change(config):
        config["scores"]["linear"] = {"type": "linear"}
        config["experiments"]["more"] = config["experiments"]["main"] | {"scores": ["linear"], "maps": False}
        config["figures"]["more"] = {"draw": "comparison", "experiment": "more", "score": "linear"}

    changed(study, change)
    again = {"fine_tune": 1, "embed": 2}
    alone = planned(study, "more", *CONFIG, *KEEP)
    assert alone == again | {"score_linear": 2, "collect_scores": 1, "draw_comparison": 1, "more": 1}
    everything = planned(study, *CONFIG, *KEEP)
    assert {rule: everything.get(rule) for rule in again} == again
    assert not {"make_pairs", "build_random_model", "train_tokenizer", "prepare_corpus"} & set(everything)


def test_nothing_is_removed_with_notemp(study):
    done = snakemake(study, RUN, *CONFIG, *KEEP, "--cores", "1", "--forcerun", "fine_tune", "--notemp")
    assert done.returncode == 0, done.stdout[-3000:]
    assert (study / RUN / "final/model.safetensors").is_file()


def test_lineage_leads_through_what_was_removed(tiny, kept, tmp_path):
    figures = ["figures/tiny/bars.png", "figures/tiny/maps.png"]
    for figure in figures:
        said = selfembed(kept, "lineage", figure)
        assert said.returncode == 0, said.stderr
        assert said.stdout == selfembed(tiny, "lineage", figure).stdout
        assert "notes.csv (SHA-256" in said.stdout and "scripts/fine_tune.py" in said.stdout
    done = selfembed(kept, "lineage", *figures, "--crate", tmp_path / "crate")
    assert done.returncode == 0, done.stderr
    crate = (tmp_path / "crate/ro-crate-metadata.json").read_text(encoding="utf-8")
    assert f"{RUN}/final/model.safetensors" in crate


def test_the_record_of_a_run_tells_what_made_it_when_the_run_is_gone(kept):
    record = RUN.replace("models/tuned", "runs")
    assert "--learning-rate 0.001" in selfembed(kept, "lineage", record).stdout
    done = selfembed(kept, "lineage", RUN)
    assert done.returncode == 2
    assert f"'{RUN}' does not exist" in done.stderr and len(done.stderr.splitlines()) == 1


def test_results_are_verified_through_what_was_removed(study):
    done = selfembed(study, "verify")
    assert done.returncode == 0, done.stdout
    score = "results/tiny/scores/knn/notes/tuned/notes/small/crops/seed-1/final/mean_last.csv"
    pairs = next((study / "results/tiny/pairs").rglob(".seed-1.parquet.seal"))
    pairs.write_text(re.sub(r'(seed-1.parquet": ")\w{4}', r"\g<1>0000", pairs.read_text()))
    said = selfembed(study, "verify").stdout
    assert f"{score}: outdated, follows from results/tiny/embeddings/notes/tuned/" in said


def test_a_run_is_used_up_before_the_next_is_trained(study):
    """So few runs are on the disk at once. Snakemake looks for jobs to start when one has ended, and not meanwhile."""
    changed(study, lambda config: config.update(seeds=[1, 2, 3]))
    done = snakemake(study, "bars", *CONFIG, *KEEP, "--cores", "1", "--verbose")
    assert done.returncode == 0, done.stdout[-3000:]
    jobs = len(re.findall("^Finished jobid", done.stdout, re.MULTILINE))
    assert jobs > 8
    assert len(re.findall("^Ready jobs: ", done.stdout, re.MULTILINE)) <= jobs + 1
    events = re.findall(r"Rule: (fine_tune)|Removing temporary output \S*/(models/tuned)/", done.stdout)
    assert [made or removed for made, removed in events] == ["fine_tune", "models/tuned"] * 2
