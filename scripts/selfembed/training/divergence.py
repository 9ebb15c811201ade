"""Markers of diverged runs, in place of models and embeddings.

A step without a usable model is a folder with `diverged.json` and no weights. Its embeddings are a folder whose
`embeddings.json` has the key `diverged` and that has no vectors. Its scores are rows without a value.
"""

from pathlib import Path
from typing import Any

from selfembed.jobs.records import read_json, write_json

FILE = "diverged.json"


def mark(folder: Path, facts: dict[str, Any], last_layer: int, longest_input: int | None) -> None:
    """Write the marker of a step without a usable model.

    Args:
        facts: the `step` with the non-finite `loss` (`nan`, `inf`), as in the run's `run.json`.
        last_layer: of the encoder, for the score rows.
        longest_input: number of positions of the encoder, for the score rows of tasks; None without a limit.
    """
    folder.mkdir(parents=True)
    write_json({"diverged": facts, "last_layer": last_layer, "longest_input": longest_input}, folder / FILE)


def of_model(folder: Path) -> dict[str, Any] | None:
    """Read the marker of a step: `diverged`, `last_layer`, `longest_input`; None if the step has a model."""
    marker = folder / FILE
    return read_json(marker, "diverged", "last_layer", "longest_input") if marker.is_file() else None


def of_embeddings(folder: Path) -> dict[str, Any] | None:
    """Read `step` and `loss` of the diverged run from an embeddings folder; None if it has vectors."""
    return read_json(folder / "embeddings.json").get("diverged")
