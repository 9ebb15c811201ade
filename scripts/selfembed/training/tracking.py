"""Trackers of experiments: the trainer of transformers reports the loss of every step to them."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NONE = "none"
PROJECT = "selfembed"  # of the runs, unless a variable of Weights & Biases or MLflow says otherwise


def problem(tracker: str) -> str | None:
    """Return one line if the package of a tracker, which has its name, is not installed."""
    if tracker == NONE or find_spec(tracker):
        return None
    return f"report_to: the Python package {tracker} is not installed; expected: none, or an installed tracker"


def trainer_arguments(tracker: str, run: str, log: Path | None) -> dict[str, Any]:
    """Return the arguments of the trainer for a tracker, and set the environment variables that trackers read.

    Args:
        run: name of the run.
        log: log of the job; the files for TensorBoard are in the folder of the same name without suffix.
    """
    if tracker == NONE:
        return {"report_to": NONE}
    if log is not None:
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(log.with_suffix(""))
    for variable in ("WANDB_PROJECT", "MLFLOW_EXPERIMENT_NAME"):
        os.environ.setdefault(variable, PROJECT)
    return {"report_to": tracker, "run_name": run, "project": PROJECT}
