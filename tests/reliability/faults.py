"""What a machine, a disk or a person does to a study that runs."""

import subprocess
import sys
import time
from collections.abc import Callable

from tiny_study import CONFIG, fingerprints

from workflow_runs import environment, kill_all


def start(folder, *arguments: str) -> subprocess.Popen:
    """Start the study in a folder, in a process group of its own; what it says goes to `run.log`."""
    command = [sys.executable, "-m", "snakemake", *CONFIG, "--cores", "2", *arguments]
    with open(folder / "run.log", "w") as log:
        return subprocess.Popen(command, cwd=folder, env=environment(), stdout=log, stderr=log, start_new_session=True)


def kill(running: subprocess.Popen) -> bool:
    """Kill Snakemake and all its jobs at once, as when a machine goes down; whether it was still running."""
    if running.poll() is not None:
        return False
    kill_all(running)
    return True


def wait_until(condition: Callable[[], bool], running: subprocess.Popen) -> None:
    """Wait until something holds or the study has ended."""
    while not condition() and running.poll() is None:
        time.sleep(0.01)


def differing(one, other) -> list[str]:
    """Files of results and figures that two folders do not share to the byte."""
    left, right = fingerprints(one), fingerprints(other)
    return sorted(name for name in {*left, *right} if left.get(name) != right.get(name))


def leftovers(folder) -> list[str]:
    """Hidden files and folders of results that are no seals: half-written things that a kill left."""
    hidden = (path for top in ("results", "figures") for path in (folder / top).rglob(".*"))
    return sorted(path.name for path in hidden if path.suffix != ".seal" and path.name != ".snakemake_timestamp")
