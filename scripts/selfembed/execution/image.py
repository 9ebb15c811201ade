"""The image of jobs with `--sdm apptainer`: one for all rules, in the working directory (docs/deployment.md)."""

import shlex
from pathlib import Path
from typing import Any

from selfembed.errors import InputError

IMAGE = "selfembed.sif"


def show_code(workflow: Any, folder: Path) -> None:
    """Let the container of every job see the code, as it sees the working directory.

    Args:
        workflow: Snakemake's workflow, before its first job.
        folder: folder of the Snakefile.

    Raises InputError if there is no image.
    """
    if not Path(IMAGE).exists():
        raise InputError(
            f"no {IMAGE} in the working directory; expected: the image that `make image` makes (docs/deployment.md)"
        )
    bind = f" --bind {shlex.quote(str(folder.resolve()))}"
    if bind not in workflow.deployment_settings.apptainer_args:  # as in a cluster job
        workflow.deployment_settings.apptainer_args += bind
