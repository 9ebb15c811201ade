"""Settings of figures and tables."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from selfembed.settings.base import Kind, Name, Pooling, ScoreName, Text
from selfembed.settings.experiments import Step


class Described(Kind):
    """Settings of every figure and table."""

    title: Text | None = Field(None, description="Heading in the report.")
    caption: Annotated[str, StringConstraints(pattern=r"^([^-]|$)")] = Field(
        "", description="Caption in the report, added to the standard description."
    )


@dataclass(frozen=True)
class Panel:
    """The part of a figure that shows one experiment.

    Attributes:
        place: columns of the experiment's table that identify a point in the figure; empty if no scores are shown.
        needs: requirements of the experiment: `corpora`, `tasks`, `layers` (several), `runs` or `maps`.
        score, pooling: the score and pooling shown, if they are no settings of the figure.
        all_layers: whether all layers are shown, or only the last.
        numeric: column whose non-numeric values are not shown.
        swept: recipe key that the experiment must sweep.
    """

    place: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    score: str | None = None
    pooling: str | None = None
    all_layers: bool = False
    numeric: str | None = None
    swept: str | None = None


def sweep(key: str, pooling: str | None = None) -> Panel:
    """Return a panel of scores of the last layer over the values of a recipe key."""
    return Panel(("series", "x"), ("corpora",), pooling=pooling, numeric="x", swept=key)


class FigureKind(Described):
    """Base class of figures.

    Attributes:
        panels: panels by the key that names their experiment.
        published: whether the figure can be drawn from published numbers: if `all` or `any` of its experiments have
            some, or `never`.
    """

    panels: ClassVar[dict[str, Panel]]
    published: ClassVar[Literal["all", "any", "never"]]

    @property
    def experiments(self) -> dict[str, str]:
        """Names of the experiments, by key."""
        return {role: name for role in self.panels if (name := getattr(self, role)) is not None}


class ScoreFigure(FigureKind):
    """Settings of figures of one experiment."""

    experiment: Name = Field(description="Experiment that provides the data.")
    pooling: Pooling = Field("mean", description="Pooling to show.")
    score: ScoreName = Field(
        "knn", description="Score to show; one number of a score with several, e.g. `crop_pairs_recall@1`."
    )


class ComparisonFigure(ScoreFigure):
    """Scores of several models at the last layer."""

    panels: ClassVar = {"experiment": Panel(("label", "corpus"))}
    published = "all"

    draw: Literal["comparison"]


class LayersFigure(ScoreFigure):
    """Accuracy by layer, with one panel per corpus."""

    panels: ClassVar = {"experiment": Panel(("label", "corpus", "layer"), all_layers=True)}
    published = "all"

    draw: Literal["layers"]
    free_y: bool = Field(False, description="Whether each panel has its own y range.")


class LossesFigure(FigureKind):
    """Contrastive loss over optimiser steps."""

    panels: ClassVar = {"experiment": Panel(needs=("runs",))}
    published = "never"

    draw: Literal["losses"]
    experiment: Name = Field(description="Experiment that provides the data.")


class BenchmarkStepsFigure(FigureKind):
    """MTEB blocks and their means over optimiser steps (Figure 1 of the paper)."""

    panels: ClassVar = {"experiment": Panel(("corpus", "step"), ("tasks",), score="mteb", all_layers=True)}
    published = "all"

    draw: Literal["benchmark_steps"]
    experiment: Name = Field(description="Experiment with tasks and steps that provides the data.")


class MapsFigure(ScoreFigure):
    """T-SNE maps, with a row per model and a column per corpus (Figure 2 of the paper).

    Texts are coloured by label, or without labels by clusters of the last model, which are named in the map.
    """

    panels: ClassVar = {"experiment": Panel(("series", "corpus"), ("maps",))}
    published = "never"

    draw: Literal["maps"]
    # Of all figures of one experiment, maps alone may go without a score.
    score: ScoreName | None = Field("knn", description="Score in a corner of every map; `null` shows none.")  # ty: ignore


class InteractiveMapFigure(FigureKind):
    """Every corpus of an experiment as a page to look at in a browser: `figures/maps/{corpus}.html`.

    It shows the map of one model at a time, coloured by label or by clusters of the last model.
    """

    panels: ClassVar = {"experiment": Panel(needs=("maps",))}
    published = "never"

    draw: Literal["interactive_map"]
    experiment: Name = Field(description="Experiment with `maps: true`; clusters are computed from its last model.")
    clusters: int | None = Field(
        None, ge=2, le=50, description="Number of clusters; defaults to 1.5 times the cube root of the number of texts."
    )
    points: int = Field(100_000, ge=10, description="Maximum number of texts; larger corpora are sampled at random.")
    characters: int = Field(
        200, ge=0, le=2000, description="Number of characters of texts and titles that are shown and searched."
    )


class AdaptationFigure(ScoreFigure):
    """Accuracy on one corpus over the steps of runs on several corpora (Figure 3 of the paper)."""

    panels: ClassVar = {"experiment": Panel(("series", "step"), numeric="step")}
    published = "all"

    draw: Literal["adaptation"]
    reference: Text = Field("ICLR", description="Label of the runs on the evaluated corpus itself.")
    shifted: Text = Field("Reddit", description="Label of the runs on the most different corpus.")
    shift_step: int = Field(
        60, ge=1, description="Step at which the generic gain, from training on any texts, is measured."
    )


class DepthFigure(FigureKind):
    """Role of depth: frozen layers, accuracy by layer, MTEB by layer (Figure 4 of the paper)."""

    panels: ClassVar = {
        "freezing": sweep("unfrozen_layers", pooling="mean"),
        "layers": Panel(("series", "layer"), ("layers", "corpora"), pooling="mean", all_layers=True),
        "benchmark": Panel(("series", "corpus", "layer"), ("layers", "tasks"), pooling="mean", all_layers=True),
    }
    published = "any"

    draw: Literal["depth"]
    freezing: Name = Field(description="Experiment that sweeps `unfrozen_layers`.")
    layers: Name = Field(description="Experiment with scores of all layers.")
    benchmark: Name | None = Field(None, description="Experiment with tasks and all layers.")


class HyperparametersFigure(FigureKind):
    """Four sweeps: temperature, sentences, mask fraction, learning rate (Figure S2 of the paper)."""

    panels: ClassVar = {
        "temperature": sweep("temperature"),
        "sentences": sweep("augmentation.sentences"),
        "masking": sweep("augmentation.mask_fraction"),
        "learning_rate": sweep("learning_rate"),
    }
    published = "all"

    draw: Literal["hyperparameters"]
    temperature: Name = Field(description="Experiment that sweeps `temperature`.")
    sentences: Name = Field(description="Experiment that sweeps `augmentation.sentences`.")
    masking: Name = Field(description="Experiment that sweeps `augmentation.mask_fraction`.")
    learning_rate: Name = Field(description="Experiment that sweeps `learning_rate`.")


class BeforeAfterFigure(ScoreFigure):
    """One arrow per encoder, from its score before to its score after fine-tuning."""

    panels: ClassVar = {"experiment": Panel(("encoder", "tuned"))}
    published = "all"

    draw: Literal["before_after"]


class ClassesFigure(FigureKind):
    """Class sizes of corpora."""

    panels: ClassVar = {}
    published = "never"

    draw: Literal["classes"]
    corpora: list[Name] = Field(min_length=1, description="Corpora to show.")


Figure = (
    ComparisonFigure
    | LayersFigure
    | LossesFigure
    | BenchmarkStepsFigure
    | MapsFigure
    | InteractiveMapFigure
    | AdaptationFigure
    | DepthFigure
    | HyperparametersFigure
    | BeforeAfterFigure
    | ClassesFigure
)

TableAxis = Literal["label", "series", "corpus", "score", "step", "x", "pooling"]


class TableKind(Described):
    """Base class of tables."""

    @property
    @abstractmethod
    def place(self) -> tuple[str, ...]:
        """Columns of the experiment's table that identify a cell; empty if no scores are shown."""

    @property
    @abstractmethod
    def shown(self) -> dict[str, list]:
        """Values to show of columns of the experiment's table; an empty list shows all."""


class ScoresTable(TableKind):
    """Scores of one experiment: means and standard deviations over seeds, with published values in parentheses."""

    lay_out: Literal["scores"]
    experiment: Name = Field(description="Experiment that provides the data.")
    rows: TableAxis = Field("series", description="Content of the rows.")
    columns: TableAxis = Field("corpus", description="Content of the columns.")
    series: list[Text] = Field(default_factory=list, description="Labels to show, in this order; defaults to all.")
    scores: list[ScoreName] = Field(default_factory=list, description="Scores to show; defaults to all.")
    steps: list[Step] = Field(default_factory=list, description="Steps to show; defaults to all.")
    poolings: list[Pooling] = Field(default=["mean"], min_length=1, description="Poolings to show.")
    means: bool = Field(
        False,
        description="Add means over corpora (without relabelled corpora, so that texts count once), "
        "or means of blocks of tasks and over blocks.",
    )

    @property
    def place(self) -> tuple[str, ...]:
        return self.rows, self.columns

    @property
    def shown(self) -> dict[str, list]:
        """Values in the settings; bags of words have the pooling `none`."""
        shown = {"series": self.series, "score": self.scores, "step": list(map(str, self.steps))}
        return shown | {"pooling": [*self.poolings, "none"]}


class DifferencesTable(TableKind):
    """Differences from the scores of one model at the last layer, each with a 95 % confidence interval and a verdict.

    Intervals are from a paired bootstrap over texts and seeds: models are compared on the same texts.
    """

    place: ClassVar[tuple[str, ...]] = ("label", "corpus", "score")

    lay_out: Literal["differences"]
    experiment: Name = Field(description="Experiment with scores on corpora that provides the data.")
    against: Text = Field(description="Label of the model that the others are compared with.")
    labels: list[Text] = Field(default_factory=list, description="Labels to compare, in this order; defaults to all.")
    scores: list[ScoreName] = Field(default_factory=list, description="Scores to show; defaults to all.")
    steps: list[Step] = Field(default_factory=list, description="Steps to show; defaults to all.")
    pooling: Pooling = Field("mean", description="Pooling to show.")
    resamples: int = Field(2000, ge=100, description="Number of bootstrap resamples.")
    seed: int = Field(42, ge=0, description="Random seed of the bootstrap.")

    @property
    def shown(self) -> dict[str, list]:
        return {"score": self.scores, "step": list(map(str, self.steps)), "pooling": [self.pooling, "none"]}


class CorporaTable(TableKind):
    """Corpora: numbers of texts and classes, lengths, number of test texts of the first kNN score."""

    place: ClassVar[tuple[str, ...]] = ()
    shown: ClassVar[dict[str, list]] = {}

    lay_out: Literal["corpora"]
    corpora: list[Name] = Field(min_length=1, description="Corpora to show.")


Table = ScoresTable | DifferencesTable | CorporaTable
