"""Settings of claims: sentences and the comparisons of scores that decide them."""

from abc import abstractmethod
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from selfembed.settings.base import Closed, Kind, Name, Pooling, ScoreName, Text, short_for
from selfembed.settings.experiments import Step


class Point(Closed):
    """One score of a model: its label, at a step and a layer."""

    label: Text = Field(description="Label of the model in the experiment.")
    step: Step | None = Field(None, description="Step of the run; required if the experiment has several.")
    layer: Annotated[int, Field(ge=0)] | None = Field(None, description="Layer; defaults to the last.")


ShortPoint = Annotated[Point, short_for("label")]


class Comparison(Kind):
    """A comparison of scores of one experiment, with a limit for the estimate."""

    default_limit: ClassVar[tuple[str, float] | None] = ("at_least", 0.0)

    experiment: Name = Field(description="Experiment that provides the scores.")
    score: ScoreName = Field("knn", description="Score to compare; `mteb` is the mean over the blocks of tasks.")
    pooling: Pooling = Field("mean", description="Pooling to compare.")
    corpora: list[Name] | None = Field(
        None, min_length=1, description="Corpora to compare on; defaults to all that have the scores."
    )
    averaged: bool = Field(
        False,
        description="Evaluate the mean of the estimates over the corpora instead of each estimate.",
    )
    at_least: float | None = Field(None, description="The estimate must be above this.")
    at_most: float | None = Field(None, description="The estimate must be below this.")

    @property
    @abstractmethod
    def points(self) -> list[Point]:
        """The compared scores."""

    @property
    def limit(self) -> tuple[str, float]:
        """Key and value of the limit."""
        given = [(kind, value) for kind in ("at_least", "at_most") if (value := getattr(self, kind)) is not None]
        given += [] if self.default_limit is None else [self.default_limit]
        return given[0]

    @model_validator(mode="after")
    def one_limit(self):
        if self.at_least is not None and self.at_most is not None:
            raise ValueError("at_least and at_most are both set; expected: one of them")
        if self.default_limit is None and self.at_least is None and self.at_most is None:
            raise ValueError("no limit; expected: at_least or at_most")
        return self


class Difference(Comparison):
    """Score of the first model minus that of the second, of the second minus that of the third, and so on.

    More than two models state an order; every difference must meet the limit, which defaults to `at_least: 0`.
    """

    compare: Literal["difference"]
    models: list[ShortPoint] = Field(
        min_length=2, description="Labels, or labels with steps and layers; the best model first."
    )

    @property
    def points(self) -> list[Point]:
        """The compared scores, best first."""
        return self.models


class Share(Comparison):
    """Share of a gain: (reached - start) / (end - start)."""

    default_limit = None

    compare: Literal["share"]
    start: ShortPoint = Field(description="Start of the gain.")
    reached: ShortPoint = Field(description="Point whose share of the gain is computed.")
    end: ShortPoint = Field(description="End of the gain.")

    @property
    def points(self) -> list[Point]:
        return [self.start, self.reached, self.end]


class Trend(Comparison):
    """Slope of the score over all layers of a model, by least squares; the limit defaults to `at_least: 0`."""

    compare: Literal["trend"]
    model: ShortPoint = Field(description="Label, or label with a step; the experiment must score several layers.")

    @property
    def points(self) -> list[Point]:
        """The model, for all its layers."""
        return [self.model]


class Claim(Closed):
    """A sentence and its comparisons; the claim holds if all comparisons meet their limits."""

    sentence: Text = Field(description="The claim as a sentence.")
    paper: str = Field("", description="The result of the paper.")
    evidence: list[Annotated[Difference | Share | Trend, Field(discriminator="compare")]] = Field(
        min_length=1, description="Comparisons that decide the claim."
    )
