"""Settings of experiments: which models are compared, on what."""

import re
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, model_validator

from selfembed.settings.base import Closed, Name, Pooling, Seeds, Text
from selfembed.settings.scores import Mteb, TaskName


def _kind_of_step(value: Any) -> str | None:
    """JSON type of a step, so that its problems are told once."""
    if isinstance(value, int) and not isinstance(value, bool):
        return "integer"
    return "string" if re.fullmatch(r"final|epoch-[1-9][0-9]*", str(value)) else None


Step = Annotated[
    Annotated[Annotated[int, Field(ge=0)], Tag("integer")] | Annotated[str, Tag("string")],
    Discriminator(
        _kind_of_step,
        custom_error_type="step",
        custom_error_message="Input should be a number, 'final', or 'epoch-' and a number",
    ),
]


class ModelEntry(Closed):
    """One line of a figure: an encoder as it came, or fine-tuned by a recipe, or by a sweep of recipes."""

    encoder: Name = Field(description="Name of an encoder.")
    recipe: Name | None = Field(None, description="Name of a recipe; without it the encoder is evaluated as it came.")
    label: Text | None = Field(None, description="Name in figures and tables.")
    color: Annotated[str, StringConstraints(pattern=r"^#[0-9a-f]{6}$")] | None = Field(
        None, description="Colour in figures, `#rrggbb`."
    )
    group: Text | None = Field(None, description="Family that figures bracket together.")
    train_on: Name | None = Field(None, description="Corpus to fine-tune on; by default the one evaluated.")
    corpora: list[Name] | None = Field(None, min_length=1, description="Only on these of the experiment's corpora.")
    poolings: list[Pooling] | None = Field(None, min_length=1, description="Instead of the experiment's poolings.")
    steps: list[Step] | None = Field(None, min_length=1, description="Instead of the experiment's steps.")
    mteb: Mteb | None = Field(None, description="How tasks score it, instead of the study's `mteb`.")
    sweep: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Recipe keys with lists of values, e.g. `{temperature: [0.05, 0.5]}` or "
        "`{augmentation.sentences: [1, 2]}`: every combination becomes a run. If the loss of a run that sweeps alone "
        "ask for becomes NaN or infinite, that is a result: a gap in figures, counted in tables. Elsewhere it is an "
        "error.",
    )


def _kind_of_layers(value: Any) -> str | None:
    """JSON type of a choice of layers, so that its problems are told once."""
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
    """A named set of runs and scores that feeds figures and tables."""

    corpora: list[Name] = Field(default_factory=list, description="Corpora to evaluate on.")
    tasks: list[TaskName] = Field(default_factory=list, description="MTEB tasks to evaluate on.")
    models: list[ModelEntry] = Field(min_length=1, description="What is compared.")
    scores: list[Name] = Field(
        default=["knn"],
        description="Scores on corpora; each must suit every corpus: accuracy needs labels, `crop_pairs` a corpus of "
        "type `crops`. None, `[]`, if only maps are wanted.",
    )
    layers: ChosenLayers = Field(
        "last", description="Layers to score: `last`, `all`, or numbers from 0 (embedding module) upwards."
    )
    poolings: list[Pooling] = Field(default=["mean"], min_length=1, description="Poolings to score.")
    steps: list[Step] = Field(
        default=["final"],
        min_length=1,
        description="Steps of the runs to evaluate: optimiser steps, `epoch-1`, …, `final`; 0 is the base model.",
    )
    seeds: Seeds | None = Field(None, description="Instead of the study's and the corpora's seeds.")
    maps: bool = Field(False, description="Also compute a t-SNE map of every corpus by every model, of its first seed.")

    @model_validator(mode="after")
    def evaluated_on_something(self):
        """An experiment without corpora and tasks has no score."""
        if not self.corpora and not self.tasks:
            raise ValueError("neither corpora nor tasks; allowed: a list of corpora, of tasks, or both")
        if self.corpora and not self.scores and not self.maps:
            raise ValueError("corpora with neither scores nor maps; allowed: a list of scores, maps: true, or both")
        return self
