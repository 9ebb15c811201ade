"""What jobs ask for: memory, minutes and GPUs."""

from collections.abc import Callable
from math import ceil
from pathlib import Path

from selfembed.models.model_paths import identity
from selfembed.settings.encoders import BagOfWords, Encoder
from selfembed.settings.schema import Settings
from selfembed.study.expansion import selected
from selfembed.workflow.flags import Inputs, Wildcards

Asked = Callable[[Wildcards, Inputs, int], int]


class JobResources:
    """Resources of the rules, as functions of wildcards, inputs and the number of the attempt."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def memory(self, least: float, **factors: float) -> Asked:
        """MB: a least number and some per MB of named inputs; more at every attempt.

        `layer` stands for one layer of `embeddings`, of which scores and maps hold one at a time.
        """
        return self.growing(least, factors)

    def minutes(self, least: float, **factors: float) -> Asked:
        """Minutes: a least number and some per MB of named inputs; more at every attempt."""
        return self.growing(least, factors)

    def growing(self, least: float, factors: dict[str, float]) -> Asked:
        """A least number and some per MB of named inputs, times the number of the attempt."""

        def needed(wildcards: Wildcards, input: Inputs, attempt: int) -> int:
            number = least
            for name, factor in factors.items():
                if name == "layer":
                    number += factor * (megabytes(input.embeddings) / self.embedded_layers(wildcards))
                else:
                    number += factor * megabytes(getattr(input, name))
            return attempt * ceil(number)

        return needed

    def memory_of_run(self, least: float, **factors: float) -> Asked:
        """MB as by `memory`, for every device of a run."""
        of_device = self.memory(least, **factors)
        return lambda wildcards, input, attempt: self.settings.devices_per_run * of_device(wildcards, input, attempt)

    def gpus_for_encoder(self, wildcards: Wildcards) -> int:
        """GPUs of a job with a model: none for bags of words."""
        return 0 if self.settings.device == "cpu" or isinstance(self.encoder(wildcards), BagOfWords) else 1

    def gpus_of_run(self, wildcards: Wildcards) -> int:
        """GPUs of a fine-tuning."""
        return self.settings.devices_per_run * self.gpus_for_encoder(wildcards)

    def encoder(self, wildcards: Wildcards) -> Encoder:
        """The encoder of a job, named by a wildcard or in the path of its model."""
        name = getattr(wildcards, "encoder", None) or identity(wildcards.model)["encoder"]
        return self.settings.encoders[name]

    def embedded_layers(self, wildcards: Wildcards) -> int:
        """How many layers, of all poolings, are in the embeddings of a model."""
        encoder = self.encoder(wildcards)
        if isinstance(encoder, BagOfWords):
            return 1
        poolings, layers = selected(wildcards.selection, encoder.layers)
        return len(poolings) * len(layers)


def megabytes(paths: str | list[str]) -> float:
    """MB of files, and of all files in folders."""
    found = [Path(path) for path in ([paths] if isinstance(paths, str) else paths)]
    files = [file for path in found for file in (path.rglob("*") if path.is_dir() else [path])]
    return sum(file.stat().st_size for file in files) / 1e6
