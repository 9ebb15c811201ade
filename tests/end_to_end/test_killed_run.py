"""A run of several MTEB tasks, killed in the middle: what was scored stays, and only the rest is scored again."""

import re
import shutil
import subprocess
import sys
import time

import pytest
import yaml

from workflow_runs import ROOT, environment, kill_all, snakemake

EXPERIMENT = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text(encoding="utf-8"))["experiments"]["mteb_steps"]
SCORES = len(EXPERIMENT["tasks"]) * len(EXPERIMENT["steps"])
TABLE = "results/smoke/tables/mteb_steps.csv"
ARGUMENTS = ["--configfile", "config/smoke.yaml", "--cores", "1"]


@pytest.fixture
def unscored(finished, tmp_path):
    """A finished run without the MTEB scores of an experiment."""
    folder = tmp_path / "copy"
    shutil.copytree(finished, folder)
    for path in scores(folder):
        path.unlink()
        path.with_suffix(".json").unlink()
    (folder / TABLE).unlink()
    return folder


def scores(folder):
    """The score files of the experiment that are there, in the order in which they came."""
    found = [path for task in EXPERIMENT["tasks"] for path in folder.glob(f"results/smoke/scores/mteb/{task}/**/*.csv")]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns)


def identity(path):
    return path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()


@pytest.mark.kill
def test_a_killed_run_scores_nothing_twice(unscored):
    command = [sys.executable, "-m", "snakemake", *ARGUMENTS, TABLE]
    log = unscored / "killed.log"
    with open(log, "w") as output:
        running = subprocess.Popen(
            command, cwd=unscored, env=environment(), stdout=output, stderr=output, start_new_session=True
        )
        deadline = time.monotonic() + 300
        while log.read_text().count("Finished jobid") < 2 and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        kill_all(running)
    before = {path: identity(path) for path in scores(unscored)}
    assert 2 <= len(before) < SCORES, log.read_text()
    assert snakemake(unscored, *ARGUMENTS, "--unlock").returncode == 0
    done = snakemake(unscored, *ARGUMENTS, TABLE)
    assert done.returncode == 0, done.stdout
    assert {path: identity(path) for path in before} == before
    assert len(scores(unscored)) == SCORES
    (again,) = re.findall(r"^score_mteb\s+(\d+)\s*$", done.stdout, re.MULTILINE)
    assert int(again) == SCORES - len(before)
