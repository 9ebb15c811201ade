"""Delete what steps write beside their outputs, when Snakemake deletes all outputs."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Any

from selfembed.execution import storage
from selfembed.jobs.records import PARTIAL, UNFINISHED


def make_complete(workflow: Any) -> None:
    """Let `snakemake --delete-all-output` also delete what Snakemake does not know of.

    Seals, incomplete results, MTEB results of single tasks, and folders that are empty then.
    """
    delete_outputs = type(workflow).delete_output

    def delete_output(only_temp: bool = False, dryrun: bool = False) -> None:
        delete_outputs(workflow, only_temp=only_temp, dryrun=dryrun)
        if only_temp or dryrun:
            return
        for job in workflow.dag.jobs:
            for output in map(Path, job.output):
                if not output.exists():  # write-protected outputs do
                    delete_beside(output)

    workflow.delete_output = delete_output


def delete_beside(output: Path) -> None:
    """Delete what belongs to a deleted output."""
    folders = [output.with_name(f".{output.name}{suffix}") for suffix in (PARTIAL, UNFINISHED)]
    for path in [*storage.beside(output), *folders]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty, or already removed
        os.removedirs(output.parent)
