"""Steps and programs that start at once: forks of a process that has imported the heavy libraries.

A step takes seven seconds to import them, which most tests of a step would mostly do.
"""

import importlib
import multiprocessing
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from selfembed.embeddings import embedding
from selfembed.jobs import command_line
from warm.run import VARIABLE
from warm.server import LIBRARIES

SCRIPTS = Path(__file__).parents[1] / "scripts"


def run_step(name: str, *arguments: object, **how) -> subprocess.CompletedProcess:
    """Run a step by its script's name, as `python scripts/{name}.py` does."""
    return run_program(SCRIPTS / f"{name}.py", *arguments, **how)


def run_program(path: Path, *arguments: object, **how) -> subprocess.CompletedProcess:
    """Run a program in a fork of the warm process of the workflow, which all test processes share.

    Args:
        how: further arguments of `subprocess.run`.
    """
    tests = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()  # the warm process ends with it
    variables = os.environ | {VARIABLE: f"{tests}-tests", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, SCRIPTS / "warm" / "run.py", path, *map(str, arguments)]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, **how)
    done.stderr = re.sub(r"^\d\d:\d\d:\d\d job: .*\n", "", done.stderr, flags=re.MULTILINE)  # what the fork cost
    return done


@dataclass
class Step:
    """A step underway: its process, and the file that its log goes to."""

    process: multiprocessing.Process
    log: Path

    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.process.is_alive()

    def send(self, number: int) -> None:
        """Send it a signal."""
        os.kill(self.process.pid, number)

    def ended(self) -> tuple[int, str]:
        """Wait for its end: the exit status, negative for a signal, and the log."""
        self.process.join(120)
        assert not self.is_running(), self.log.read_text()
        return self.process.exitcode, self.log.read_text()


def start(name: str, arguments: list[str], log: Path, block: int = embedding.BLOCK) -> Step:
    """Start a step by its script's name; it writes its log to a file. `block` is that of the module `embedding`."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(LIBRARIES))
    process = context.Process(target=run, args=(name, arguments, log, block))
    process.start()
    return Step(process, log)


def run(name: str, arguments: list[str], log: Path, block: int) -> None:
    """What the process does: the step as from its command line."""
    with open(log, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    sys.argv = [f"{name}.py", *arguments]
    embedding.BLOCK = block
    command_line.run(importlib.import_module(name).main)
