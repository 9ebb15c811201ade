"""Runs that diverged: what stands in the place of a model, and of its embeddings.

A step at which a run has no usable model is a folder with `diverged.json` and no weights. Its embeddings are a folder
whose `embeddings.json` says `diverged`, without vectors; its scores are rows without a value.
"""

from pathlib import Path
from typing import Any

from selfembed.jobs.records import read_json, write_json

FILE = "diverged.json"


def mark(folder: Path, facts: dict[str, Any], last_layer: int, longest_input: int | None) -> None:
    """Make a folder of a step without a model.

    Args:
        facts: `step`, whose loss was not finite, and `loss` (`nan`, `inf`), as in the run's `run.json`.
        last_layer: of the encoder, which score rows name.
        longest_input: tokens that the encoder has positions for, which score rows of tasks name; None without a limit.
    """
    folder.mkdir(parents=True)
    write_json({"diverged": facts, "last_layer": last_layer, "longest_input": longest_input}, folder / FILE)


def of_model(folder: Path) -> dict[str, Any] | None:
    """What is known of a step without a model: `diverged`, `last_layer`, `longest_input`; None if there is a model."""
    marker = folder / FILE
    return read_json(marker, "diverged", "last_layer", "longest_input") if marker.is_file() else None


def of_embeddings(folder: Path) -> dict[str, Any] | None:
    """`step` and `loss` of the run that embeddings are of, if it diverged and there are no vectors."""
    return read_json(folder / "embeddings.json").get("diverged")
