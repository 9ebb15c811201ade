"""A run of several MTEB tasks, killed in the middle: what was scored stays, and only the rest is scored again."""

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
        table_of_job(path).unlink(missing_ok=True)
    (folder / TABLE).unlink()
    return folder


def scores(folder):
    """The score files of the experiment that are complete: mteb's result is written last."""
    done = folder / "results/smoke/scores/mteb"
    return [path.with_suffix(".csv") for task in EXPERIMENT["tasks"] for path in done.glob(f"**/{task}/*.json")]


def table_of_job(path):
    """The table of the job that computed a score."""
    return path.parents[1].with_suffix(".csv")


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
        while not scores(unscored) and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        kill_all(running)
    before = {path: identity(path) for path in scores(unscored)}
    assert 1 <= len(before) < SCORES, log.read_text()
    assert snakemake(unscored, *ARGUMENTS, "--unlock").returncode == 0
    done = snakemake(unscored, *ARGUMENTS, TABLE)
    assert done.returncode == 0, done.stdout
    assert {path: identity(path) for path in before} == before
    assert len(scores(unscored)) == SCORES
