"""The same study ends with the same bytes: on one core or two, in one folder or another, disturbed or not."""

import os
import random
import signal
import subprocess
import sys
import time

from tiny_study import CONFIG, fingerprints, tiny_study

from workflow_runs import environment, planned, snakemake

KILLS = 9


def test_another_folder_and_another_number_of_cores_give_the_same_bytes(tiny, tmp_path):
    folder = tiny_study(tmp_path / "elsewhere")
    done = snakemake(folder, *CONFIG, "--cores", "1")
    assert done.returncode == 0, done.stdout[-3000:]
    assert differing(folder, tiny) == []


def test_a_study_killed_again_and_again_ends_with_the_same_bytes(tiny, tmp_path):
    """SIGKILL for Snakemake and all its jobs at once, as when a machine goes down, at random moments."""
    folder = tiny_study(tmp_path / "killed")
    moments, killed = random.Random(20), 0
    while killed < KILLS and planned(folder, *CONFIG):
        killed += run_and_kill(folder, after=moments.uniform(2.5, 7))
        assert snakemake(folder, *CONFIG, "--unlock").returncode == 0
    assert killed >= 3, "the study ended before it could be killed often"
    done = snakemake(folder, *CONFIG, "--cores", "2")
    assert done.returncode == 0, done.stdout[-3000:]
    assert differing(folder, tiny) == []
    assert leftovers(folder) == leftovers(tiny) == []
    assert planned(folder, *CONFIG) == {}


def run_and_kill(folder, after: float) -> bool:
    """Start the study and kill it `after` seconds; whether it was still running."""
    command = [sys.executable, "-m", "snakemake", *CONFIG, "--cores", "2"]
    with open(folder / "killed.log", "w") as log:
        running = subprocess.Popen(
            command, cwd=folder, env=environment(), stdout=log, stderr=log, start_new_session=True
        )
        try:
            running.wait(timeout=after)
        except subprocess.TimeoutExpired:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            time.sleep(0.2)  # until the kernel has closed the files of the children
            return True
    return False


def differing(one, other) -> list[str]:
    """Files of results and figures that two folders do not share to the byte."""
    left, right = fingerprints(one), fingerprints(other)
    return sorted(name for name in {*left, *right} if left.get(name) != right.get(name))


def leftovers(folder) -> list[str]:
    """Hidden files and folders of results that are no seals: half-written things that a kill left."""
    hidden = (path for top in ("results", "figures") for path in (folder / top).rglob(".*"))
    return sorted(path.name for path in hidden if path.suffix != ".seal" and path.name != ".snakemake_timestamp")
