"""The same study ends with the same bytes: on one core or two, in one folder or another, disturbed or not."""

import random
import re
import shutil
import time
from collections import Counter

import pytest
from faults import differing, kill, leftovers, start, wait_until
from tiny_study import CONFIG, tiny_study

from workflow_runs import planned, snakemake

KILLS = 9  # of the whole study
ROUNDS = 2  # of killing every rule

pytestmark = pytest.mark.campaign


@pytest.mark.parametrize("cores", [1, 3])
def test_another_folder_and_another_number_of_cores_give_the_same_bytes(tiny, tmp_path, cores):
    folder = tiny_study(tmp_path / f"elsewhere {cores}" / "deeper")
    done = snakemake(folder, *CONFIG, "--cores", str(cores))
    assert done.returncode == 0, done.stdout[-3000:]
    assert differing(folder, tiny) == []


def test_a_study_killed_again_and_again_ends_with_the_same_bytes(tiny, tmp_path):
    """SIGKILL for Snakemake and all its jobs at once, as when a machine goes down, at random moments."""
    folder = tiny_study(tmp_path / "killed")
    moments, killed = random.Random(20), 0
    while killed < KILLS and planned(folder, *CONFIG):
        running = start(folder)
        time.sleep(moments.uniform(2.5, 7))
        killed += kill(running)
        assert snakemake(folder, *CONFIG, "--unlock").returncode == 0
    assert killed >= 3, "the study ended before it could be killed often"
    assert_ends_as(tiny, folder)


def assert_ends_as(tiny, folder, *arguments):
    done = snakemake(folder, *CONFIG, "--cores", "2", *arguments)
    assert done.returncode == 0, done.stdout[-3000:]
    assert differing(folder, tiny) == []
    assert leftovers(folder) == leftovers(tiny) == []
    assert planned(folder, *CONFIG) == {}


RULES = [
    "prepare_corpus",
    "train_tokenizer",
    "make_pairs",
    "build_bag_of_words",
    "build_random_model",
    "fine_tune",
    "embed",
    "score_knn",
    "score_mteb",
    "compute_tsne",
    "collect_scores",
    "summarise_scores",
    "collect_maps",
    "draw_comparison",
    "draw_maps",
    "lay_out_scores",
]


def test_every_rule_of_the_study_is_killed(tiny):
    assert {path.stem for path in (tiny / "logs/tiny").iterdir()} == set(RULES)


def test_a_study_killed_in_every_rule_ends_with_the_same_bytes(tiny, tmp_path):
    """Every rule in turn is made to run again and killed at a random moment of its work, round after round."""
    folder = tmp_path / "study"
    shutil.copytree(tiny, folder)
    benchmarks = list((tiny / "logs/tiny").rglob("*.tsv"))
    moments, killed = random.Random(7), Counter()
    for rule in RULES * ROUNDS:
        running = start(folder, "--forcerun", rule, "--rerun-incomplete")
        begun = re.compile(rf"^(local)?rule {rule}:", re.MULTILINE)
        wait_until(lambda begun=begun: begun.search((folder / "run.log").read_text()), running)
        duration = max(seconds(path) for path in benchmarks if rule in (*path.parts, path.stem))
        time.sleep(moments.uniform(0, duration))
        killed[rule] += kill(running)
        print(f"{rule}: killed {killed[rule]} times", flush=True)
        assert snakemake(folder, *CONFIG, "--unlock").returncode == 0
    assert set(RULES) == {rule for rule, times in killed.items() if times}
    assert_ends_as(tiny, folder, "--rerun-incomplete")


def seconds(benchmark) -> float:
    return float(benchmark.read_text().splitlines()[1].split("\t")[0])
