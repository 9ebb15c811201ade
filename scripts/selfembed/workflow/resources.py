"""Resources of jobs: memory, minutes, GPUs and devices."""

import errno
import os
from collections.abc import Callable
from math import ceil
from pathlib import Path

from selfembed.jobs.model_paths import identity
from selfembed.settings.encoders import BagOfWords, Encoder
from selfembed.settings.report import PACKAGES
from selfembed.settings.schema import Settings
from selfembed.study.expansion import selected
from selfembed.workflow.flags import Inputs, Wildcards

Asked = Callable[[Wildcards, Inputs, int], int]


class JobResources:
    """Resources of the rules, as functions of wildcards, inputs and the number of the attempt."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def growing(self, least: float, **factors: float) -> Asked:
        """Return a resource function: a minimum plus a factor per MB of named inputs, times the number of the attempt.

        `layer` stands for one layer of `embeddings`, of which scores and maps hold one at a time, `task` for the
        largest of the `data` of tasks, which are scored one after the other, and `part` for a part of the `corpus`.
        """

        def needed(wildcards: Wildcards, input: Inputs, attempt: int) -> int:
            number = least
            for name, factor in factors.items():
                if name == "layer":
                    number += factor * (megabytes(input.embeddings) / self.embedded_layers(wildcards))
                elif name == "task":
                    number += factor * max(map(megabytes, input.data))
                elif name == "part":
                    number += factor * megabytes(input.corpus) / int(wildcards.part.split("-of-")[1])
                else:
                    number += factor * megabytes(getattr(input, name))
            return attempt * ceil(number)

        return needed

    memory = minutes = growing  # in MB, and in minutes

    def memory_of_run(self, least: float, **factors: float) -> Asked:
        """Memory in MB, as in `memory`, times the number of devices of a run."""
        of_device = self.memory(least, **factors)
        return lambda wildcards, input, attempt: self.settings.devices_per_run * of_device(wildcards, input, attempt)

    def gpus_for_encoder(self, wildcards: Wildcards, input: Inputs | None = None) -> int:
        """Number of GPUs of a job with a model.

        0 for bags of words, for exports with a library of their own, and for parts of embeddings that are merged.
        """
        export = getattr(wildcards, "export", None)
        needs_none = export in PACKAGES if export else isinstance(self.encoder(wildcards), BagOfWords)
        return 0 if self.settings.device == "cpu" or needs_none or getattr(input, "parts", None) else 1

    def gpus_of_run(self, wildcards: Wildcards) -> int:
        return self.settings.devices_per_run * self.gpus_for_encoder(wildcards)

    def device(self, wildcards: Wildcards, input: Inputs) -> str:
        """Device of a job with a model; the processor if it uses no GPU.

        Snakemake does not record parameters that are functions of the input, so another device reruns nothing.
        """
        return self.settings.device if self.gpus_for_encoder(wildcards, input) else "cpu"

    def tracker(self, wildcards: Wildcards, input: Inputs) -> str:
        """Tracker of a run; a function of the input like `device`, so another tracker reruns nothing."""
        return self.settings.report_to

    def encoder(self, wildcards: Wildcards) -> Encoder:
        """Encoder of a job, from a wildcard or the path of its model."""
        name = getattr(wildcards, "encoder", None) or identity(wildcards.model)["encoder"]
        return self.settings.encoders[name]

    def embedded_layers(self, wildcards: Wildcards) -> int:
        """Number of layers in the embeddings of a model, over all poolings."""
        if wildcards.model.startswith("exports/"):
            return 1
        poolings, layers = selected(wildcards.selection, self.encoder(wildcards).layers)
        return len(poolings) * len(layers)


def megabytes(paths: str | list[str]) -> float:
    """Size of files and folders in MB."""
    return sum(map(size, [paths] if isinstance(paths, str) else paths)) / 1e6


def size(path: str) -> int:
    """Size of a file or folder in bytes, in a storage if results are in one.

    Raises FileNotFoundError if it does not exist yet; Snakemake then asks again before the job starts.
    """
    if getattr(path, "is_storage", False):
        item = path.storage_object  # ty: ignore[missing-attribute]
        if not item.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        return item.local_footprint()
    found = Path(path)
    return sum(file.stat().st_size for file in (found.rglob("*") if found.is_dir() else [found]))
