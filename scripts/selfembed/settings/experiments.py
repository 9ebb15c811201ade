"""Settings of experiments: models and the corpora and tasks that they are evaluated on."""

import re
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from selfembed.models import interpolation
from selfembed.settings.base import Closed, Name, Pooling, Seeds, Text
from selfembed.settings.scores import MtebVectors, TaskName


def _kind_of_step(value: Any) -> str | None:
    """Return the JSON type of a step, so that each error is reported once."""
    if isinstance(value, int) and not isinstance(value, bool):
        return "integer"
    return "string" if re.fullmatch(rf"final|epoch-[1-9][0-9]*|{interpolation.STEP}", str(value)) else None


Step = Annotated[
    Annotated[Annotated[int, Field(ge=0)], Tag("integer")] | Annotated[str, Tag("string")],
    Discriminator(
        _kind_of_step,
        custom_error_type="step",
        custom_error_message="Input should be a number, 'final', 'epoch-' and a number, or 'interpolated-' and a "
        "fraction such as 0.25",
    ),
]


class ModelEntry(Closed):
    """A model of a figure: an encoder without fine-tuning, or fine-tuned with a recipe or a sweep of recipes."""

    encoder: Name = Field(description="Name of an encoder.")
    recipe: Name | None = Field(
        None, description="Name of a recipe; if missing, the encoder is evaluated without fine-tuning."
    )
    label: Text | None = Field(None, description="Label in figures and tables.")
    color: Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")] | None = Field(
        None, description="Colour in figures, `#rrggbb`."
    )
    group: Text | None = Field(None, description="Group of models in figures.")
    train_on: Name | None = Field(None, description="Corpus to fine-tune on; defaults to the evaluated corpus.")
    corpora: list[Name] | None = Field(
        None, min_length=1, description="Subset of the experiment's corpora; defaults to all."
    )
    poolings: list[Pooling] | None = Field(
        None, min_length=1, description="Poolings, instead of those of the experiment."
    )
    steps: list[Step] | None = Field(None, min_length=1, description="Steps, instead of those of the experiment.")
    mteb: MtebVectors | None = Field(None, description="MTEB settings, instead of the study's `mteb`.")
    sweep: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Recipe keys with lists of values, e.g. `{temperature: [0.05, 0.5]}` or "
        "`{augmentation.sentences: [1, 2]}`; every combination is a run. If the loss of a run that is only part of "
        "sweeps becomes NaN or infinite, the run is recorded as diverged (a gap in figures, counted in tables). In "
        "other runs this is an error.",
    )


def _kind_of_layers(value: Any) -> str | None:
    """Return the JSON type of a choice of layers, so that each error is reported once."""
    if isinstance(value, list):
        return "array"
    return "string" if value in ("last", "all") else None


ChosenLayers = Annotated[
    Annotated[Literal["last", "all"], Tag("string")]
    | Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1), Tag("array")],
    Discriminator(
        _kind_of_layers,
        custom_error_type="layers",
        custom_error_message="Input should be 'last' or 'all' or a list of numbers",
    ),
]


class Experiment(Closed):
    """A named set of runs and scores for figures and tables."""

    corpora: list[Name] = Field(default_factory=list, description="Corpora to evaluate on.")
    tasks: list[TaskName] = Field(default_factory=list, description="MTEB tasks to evaluate on.")
    models: list[ModelEntry] = Field(min_length=1, description="Models to compare.")
    scores: list[Name] = Field(
        default=["knn"],
        description="Scores on corpora. Accuracies require labels, `crop_pairs` requires a corpus of type `crops`, "
        "`title_pairs` one of type `titles`. Use `[]` for maps only.",
    )
    layers: ChosenLayers = Field(
        "last", description="Layers to score: `last`, `all`, or a list of numbers; 0 is the embedding module."
    )
    poolings: list[Pooling] = Field(
        default=["mean"],
        min_length=1,
        description="Poolings to score. `own` is the encoder's own modules after the transformer (pooling, Dense, "
        "LayerNorm, Normalize), with its prompt and maximum length: what `SentenceTransformer(folder).encode` gives.",
    )
    steps: list[Step] = Field(
        default=["final"],
        min_length=1,
        description="Steps to evaluate: optimiser steps, `epoch-1`, …, `final`; 0 is the base model. "
        "`interpolated-0.25` has weights 25 % of the way from the encoder before fine-tuning to `final` (Wortsman et "
        "al. 2022, arXiv:2109.01903); any fraction above 0 and below 1 with at most two decimals.",
    )
    seeds: Seeds | None = Field(None, description="Seeds, instead of those of the study and the corpora.")
    maps: bool = Field(
        False, description="Also compute a t-SNE map of every corpus for every model, using its first seed."
    )

    @model_validator(mode="after")
    def evaluated_on_something(self):
        if not self.corpora and not self.tasks:
            raise ValueError("neither corpora nor tasks; expected: a list of corpora, of tasks, or both")
        if self.corpora and not self.scores and not self.maps:
            raise ValueError("corpora with neither scores nor maps; expected: a list of scores, maps: true, or both")
        return self
