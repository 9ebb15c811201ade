"""What failed in a run of Snakemake, and what is missing because of it."""

import re
from pathlib import Path
from typing import Any

HEADING = "What failed, and what is missing because of it"
# The last line of the log of a job that was a fork (scripts/warm/run.py).
COST_OF_FORK = re.compile(r"^[\d:]{8} job: .* MB$", re.MULTILINE)
ADVICE = "Finished results are kept. Once the cause is removed, the same command makes the rest."


def summary(workflow: Any) -> list[str]:
    """Return lines about the failed jobs of a run: rule, result, log, last line of the log, missing targets.

    Args:
        workflow: Snakemake's workflow, after its run.

    Returns no lines if no job failed, as after Ctrl-C.
    """
    dag = workflow.dag
    groups = workflow.scheduler.failed
    members = [job for group in groups for job in (group.jobs if group.is_group() else [group])]
    failed = sorted((job for job in members if not dag.finished(job)), key=lambda job: str(job.output[0]))
    asked = [target for job in dag.targetjobs for target in ([job] if job.output else dag.dependencies[job])]
    lines = []
    for job in failed:
        lines += [f"  {job.rule.name}: {job.output[0]}", *said_by(job.log)]
        without = set(dag.bfs(dag.depending, job))
        missing = dict.fromkeys(str(target.output[0]) for target in asked if target in without)
        lines += [f"    missing: {', '.join(sorted(missing))}"] if missing else []
    return [f"{HEADING}:", *lines, ADVICE] if lines else []


def said_by(logs: list[str]) -> list[str]:
    """Return the path of the first log of a job and its last line, if it has any, but for what a fork cost."""
    if not logs:
        return []
    path = Path(logs[0])
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    said = COST_OF_FORK.sub("", text).strip().splitlines()
    return [f"    {path}: {said[-1] if said else 'empty'}"]
