"""Embeddings that several jobs make: the number of jobs reruns nothing."""

from typing import Any

from selfembed.workflow.models import PARTS


def leave_out_of_records(records: Any) -> None:
    """Let Snakemake not record parts of embeddings as inputs, and not compare them with recorded inputs.

    Otherwise, it would rerun the merging, and so all parts, after a change of their number.

    Args:
        records: Snakemake's class of records of finished jobs, whose method `_input` is replaced.
    """
    inputs = records._input

    def without_parts(recorded: Any, job: Any) -> list[str]:
        return [path for path in inputs(recorded, job) if f"/{PARTS}/" not in path]

    records._input = without_parts
