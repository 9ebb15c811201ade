"""The image of jobs with `--sdm apptainer`: one for all rules, in the working directory (docs/deployment.md)."""

import shlex
import sys
from pathlib import Path
from typing import Any

IMAGE = "selfembed.sif"


def show_code(workflow: Any, folder: Path) -> None:
    """Let the container of every job see the code, as it sees the working directory.

    Args:
        workflow: Snakemake's workflow, before its first job.
        folder: folder of the Snakefile.

    Raises SystemExit with one line if there is no image.
    """
    if not Path(IMAGE).exists():
        sys.exit(
            f"error: no {IMAGE} in the working directory; expected: the image that `make image` makes "
            "(docs/deployment.md)"
        )
    bind = f" --bind {shlex.quote(str(folder.resolve()))}"
    if bind not in workflow.deployment_settings.apptainer_args:  # as in a cluster job
        workflow.deployment_settings.apptainer_args += bind
