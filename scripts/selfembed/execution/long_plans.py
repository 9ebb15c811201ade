"""Refuse plans that would take long on a processor, before any job starts."""

import subprocess
import sys

from selfembed.costs.hours import MOST_HOURS, available_cores, hours
from selfembed.costs.sizes import Amounts
from selfembed.costs.work import EMBEDDING, EVALUATION, FINE_TUNING, MTEB, Count, Job
from selfembed.settings.schema import Settings
from selfembed.study.expansion import Study

# The rules of the jobs that take the time of a plan.
RULES = ("fine_tune", "embed", "embed_part", "score_mteb")


def refuse(workflow, settings: Settings, study: Study) -> None:
    """End Snakemake with one line if the jobs to run take more than 100 hours on a processor by mistake.

    By mistake: the config does not set `device`, the jobs run on this machine, and torch finds no GPU here. Torch is
    asked only if the plan is long.
    """
    if settings.device != "auto" or not workflow.local_exec:
        return
    jobs = (job for job in workflow.dag.needrun_jobs() if job.rule.name in RULES)
    planned = [job for job in jobs if not getattr(job.input, "parts", None)]  # merging takes minutes
    if not planned:
        return
    count = Count.here(settings, study)
    cores = min(workflow.resource_settings.cores or 1, available_cores())
    taken = hours(work_of(planned, count), cores).total()
    if taken > MOST_HOURS and not torch_finds_gpu():
        sys.exit(
            f"config error: device: these jobs would take about {taken:,.0f} hours on {cores} cores, "
            "and torch finds no GPU; expected: a GPU (`snakemake doctor` says what is wrong), "
            "or `device: cpu` in the config if this is meant"
        )


def work_of(planned: list, count: Count) -> dict[Job, Amounts]:
    """The work of planned jobs of RULES."""
    amounts = count.jobs(count.settings.experiments)
    wanted = {place(job) for job in planned}
    return {job: work for job, work in amounts.items() if key(job) in wanted}


def place(job) -> tuple[str, str]:
    """Kind and path of a job of the workflow."""
    names = job.wildcards
    match job.rule.name:
        case "fine_tune":
            return FINE_TUNING, f"tuned/{names.corpus}/{names.encoder}/{names.recipe}/seed-{names.seed}"
        case "embed" | "embed_part":
            return EMBEDDING, f"{names.corpus}/{names.model}/{names.step}/{names.selection}"
    return MTEB, f"{names.model}/{names.step}/{names.max_length}"


def key(job: Job) -> tuple[str, str]:
    """Kind and path of a counted job; an evaluation is part of its MTEB job."""
    if job.kind == EVALUATION:
        return MTEB, job.path.rpartition("/")[0].rpartition("/")[0]
    return job.kind, job.path


def torch_finds_gpu() -> bool:
    """Whether torch finds a GPU, asked in a process of its own: its import takes seconds."""
    program = "import sys, torch; sys.exit(not torch.cuda.is_available())"
    return subprocess.run([sys.executable, "-c", program], capture_output=True).returncode == 0
