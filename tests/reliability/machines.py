"""Jobs on other machines: each runs in an empty folder of its own and has only what Snakemake brings there."""

import subprocess
import sys
from pathlib import Path

from workflow_runs import environment

# Snakemake with an executor that submits jobs by a command; it looks at them after a second instead of 40.
SNAKEMAKE = """
import snakemake_executor_plugin_cluster_generic as plugin
from snakemake.cli import main

plugin.common_settings.init_seconds_before_status_checks = 1
main()
"""
SUBMIT = """#!/bin/sh
machine=$(mktemp -d {machines}/XXXXXX) && cp "$1" "$machine" && cd "$machine" || exit
(sh "$(basename "$1")" > said 2>&1 && echo success > status || echo failed > status) > /dev/null 2>&1 &
echo "$machine"
"""
STATUS = """#!/bin/sh
cat "$1/status" 2> /dev/null || echo running
"""


def executor(submit: Path, *, jobs: int = 1) -> list[str]:
    """Arguments that let a script submit the jobs."""
    words = ["--executor", "cluster-generic", "--cluster-generic-submit-cmd", submit]
    return [*map(str, words), "--jobs", str(jobs), "--seconds-between-status-checks", "1"]


def script(path: Path, content: str) -> Path:
    """Write a shell script that can be run."""
    path.write_text(content)
    path.chmod(0o755)
    return path


def apart(folder: Path) -> list[str]:
    """Arguments that run jobs on machines without a shared file system, which are in a folder."""
    folder.mkdir()
    submit = script(folder / "submit.sh", SUBMIT.format(machines=folder))
    status = script(folder / "status.sh", STATUS)
    words = ["--cluster-generic-status-cmd", str(status), "--shared-fs-usage", "none", "--job-deploy-sources"]
    return [*executor(submit, jobs=2), *words]


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    """Run Snakemake with such an executor; standard output and error come together in `stdout`."""
    command = [sys.executable, "-c", SNAKEMAKE, *arguments]
    return subprocess.run(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
