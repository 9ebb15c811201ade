"""Dry runs of Snakemake that start at once: every one is a fork of a process that has imported what Snakemake needs.

A dry run takes about a second to import it, and there are more than a hundred. A fork shares nothing with another: not
the working directory, not the modules of the workflow, which come from the checkout that is planned.
"""

import atexit
import gc
import importlib
import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

# What a dry run imports of others, in part only once it needs it; no module of this project.
IMPORTED = [
    "snakemake.cli",
    "snakemake.executors.dryrun",
    "snakemake.executors.local",
    "snakemake.profiles",
    "snakemake.report.html_reporter",
    "snakemake_executor_plugin_slurm",
    "pydantic",
    "smart_open",
]


def dry_run(folder: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> subprocess.CompletedProcess:
    """Run snakemake in a folder as `python -m snakemake` does; standard output and error come together in `stdout`."""
    server = started()
    with tempfile.NamedTemporaryFile() as output:
        asked = {"folder": str(folder), "arguments": arguments, "environment": environment, "output": output.name}
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        answer = server.stdout.readline()
        assert answer, "the process that forks dry runs has ended"
        return subprocess.CompletedProcess(arguments, int(answer), Path(output.name).read_text(encoding="utf-8"))


@cache
def started() -> subprocess.Popen:
    """The process that forks; it ends when its input does."""
    command = [sys.executable, str(Path(__file__))]
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(server.communicate)
    return server


def serve() -> None:
    """Answer every line of the input, which asks for a dry run, with an exit status."""
    for name in IMPORTED:
        importlib.import_module(name)
    gc.freeze()  # what is imported stays, so no fork has to look through it
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            run(**json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def run(folder: str, arguments: list[str], environment: dict[str, str], output: str) -> None:
    """What a fork does."""
    with open(os.devnull) as nothing, open(output, "w", encoding="utf-8") as file:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[0] = folder
    cli = sys.modules["snakemake.cli"]
    sys.argv = [str(Path(cli.__file__).with_name("__main__.py")), *arguments]
    sys.exit(cli.main())


if __name__ == "__main__":
    serve()
