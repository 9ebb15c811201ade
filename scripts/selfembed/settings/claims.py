"""Settings of claims: sentences, and the comparisons of scores that they are judged by."""

from abc import abstractmethod
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, model_validator

from selfembed.settings.base import Closed, Kind, Name, Pooling, ScoreName, Text
from selfembed.settings.experiments import Step


class Point(Closed):
    """One score of a model: its label, at a step and a layer."""

    label: Text = Field(description="Label of the model in the experiment.")
    step: Step | None = Field(None, description="Step of the run; needed if the experiment has several.")
    layer: Annotated[int, Field(ge=0)] | None = Field(None, description="Layer; by default the last.")


def from_label(value: Any) -> Any:
    """Let `Crops` stand for `{label: Crops}`."""
    return {"label": value} if isinstance(value, str) else value


ShortPoint = Annotated[Point, BeforeValidator(from_label)]


class Comparison(Kind):
    """What every comparison has: scores of one experiment, and a limit for the estimate."""

    default_limit: ClassVar[tuple[str, float] | None] = ("at_least", 0.0)

    experiment: Name = Field(description="Experiment with the scores.")
    score: ScoreName = Field("knn", description="Score compared; `mteb` is the mean of the blocks of tasks.")
    pooling: Pooling = Field("mean", description="Pooling compared.")
    corpora: list[Name] | None = Field(
        None, min_length=1, description="Corpora compared on; by default all that have the scores."
    )
    averaged: bool = Field(
        False, description="Judge the mean of the estimates over the corpora; by default the estimate on each corpus."
    )
    at_least: float | None = Field(None, description="The estimate must be above this.")
    at_most: float | None = Field(None, description="The estimate must be below this.")

    @property
    @abstractmethod
    def points(self) -> list[Point]:
        """Every score that is used."""

    @property
    def limit(self) -> tuple[str, float]:
        """The kind of the limit and its value."""
        given = [(kind, value) for kind in ("at_least", "at_most") if (value := getattr(self, kind)) is not None]
        return given[0] if given else self.default_limit

    @model_validator(mode="after")
    def one_limit(self):
        """An estimate is compared with one limit."""
        if self.at_least is not None and self.at_most is not None:
            raise ValueError("at_least and at_most are both given; allowed: one of them")
        if self.default_limit is None and self.at_least is None and self.at_most is None:
            raise ValueError("no limit; allowed: at_least or at_most")
        return self


class Difference(Comparison):
    """Score of the first model minus that of the second, of the second minus that of the third, and so on.

    With more than two models it is an order; every difference must meet the limit, by default `at_least: 0`.
    """

    compare: Literal["difference"]
    models: list[ShortPoint] = Field(min_length=2, description="Labels, or labels with steps and layers; best first.")

    @property
    def points(self) -> list[Point]:
        """Every score that is used."""
        return self.models


class Share(Comparison):
    """Share of a gain: (reached - start) / (end - start)."""

    default_limit = None

    compare: Literal["share"]
    start: ShortPoint = Field(description="Where the gain starts.")
    reached: ShortPoint = Field(description="What is reached of it.")
    end: ShortPoint = Field(description="Where the gain ends.")

    @property
    def points(self) -> list[Point]:
        """Every score that is used."""
        return [self.start, self.reached, self.end]


class Trend(Comparison):
    """Slope of the score over all layers of a model, by least squares; by default it must be `at_least: 0`."""

    compare: Literal["trend"]
    model: ShortPoint = Field(description="Label, or label with a step; the experiment scores several layers.")

    @property
    def points(self) -> list[Point]:
        """Every score that is used, but for its layers."""
        return [self.model]


class Claim(Closed):
    """A sentence, and the comparisons that must all meet their limits for it to hold."""

    sentence: Text = Field(description="The claim in plain words.")
    paper: str = Field("", description="What the paper found.")
    evidence: list[Annotated[Difference | Share | Trend, Field(discriminator="compare")]] = Field(
        min_length=1, description="Comparisons that it is judged by."
    )
