"""Settings of figures and tables."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from selfembed.settings.base import Closed, Name, Pooling, ScoreName, Text
from selfembed.settings.experiments import Step


class Described(Closed):
    """Settings of every figure and table."""

    roles: ClassVar[tuple[str, ...]] = ()  # keys that name an experiment

    title: Text | None = Field(None, description="Heading in the report.")
    caption: Annotated[str, StringConstraints(pattern=r"^([^-]|$)")] = Field(
        "", description="Caption in the report, added to the standard description."
    )

    @property
    def experiments(self) -> dict[str, str]:
        """The experiments that provide the data, by role."""
        return {role: name for role in self.roles if (name := getattr(self, role)) is not None}


class ScoreFigure(Described):
    """Settings of figures of one experiment."""

    roles = ("experiment",)

    experiment: Name = Field(description="Experiment that provides the data.")
    pooling: Pooling = Field("mean", description="Pooling to show.")
    score: ScoreName = Field(
        "knn", description="Score to show; for scores with several measures one of them, e.g. `crop_pairs_recall@1`."
    )


class ComparisonFigure(ScoreFigure):
    """Scores of several models at the last layer."""

    draw: Literal["comparison"]


class LayersFigure(ScoreFigure):
    """Accuracy by layer, with one panel per corpus."""

    draw: Literal["layers"]
    free_y: bool = Field(False, description="Whether each panel has its own y range.")


class LossesFigure(Described):
    """Contrastive loss over optimiser steps."""

    roles = ("experiment",)

    draw: Literal["losses"]
    experiment: Name = Field(description="Experiment that provides the data.")


class BenchmarkStepsFigure(Described):
    """MTEB blocks and their means over optimiser steps (Figure 1 of the paper)."""

    roles = ("experiment",)

    draw: Literal["benchmark_steps"]
    experiment: Name = Field(description="Experiment with tasks and steps that provides the data.")


class MapsFigure(ScoreFigure):
    """T-SNE maps, with a row per model and a column per corpus (Figure 2 of the paper).

    Texts are coloured by label, or without labels by clusters of the last model, which are named in the map.
    """

    draw: Literal["maps"]
    score: ScoreName | None = Field("knn", description="Score in a corner of every map; `null` shows none.")


class InteractiveMapFigure(Described):
    """An interactive map of each corpus of an experiment: `figures/maps/{corpus}.html`.

    It shows the map of one model at a time, coloured by label or by clusters of the last model.
    """

    roles = ("experiment",)

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

    draw: Literal["adaptation"]
    reference: Text = Field("ICLR", description="Label of the runs on the evaluated corpus itself.")
    shifted: Text = Field("Reddit", description="Label of the runs on the most different corpus.")
    shift_step: int = Field(
        60, ge=1, description="Step at which the generic gain, from training on any texts, is measured."
    )


class DepthFigure(Described):
    """Role of depth: frozen layers, accuracy by layer, MTEB by layer (Figure 4 of the paper)."""

    roles = ("freezing", "layers", "benchmark")

    draw: Literal["depth"]
    freezing: Name = Field(description="Experiment that sweeps `unfrozen_layers`.")
    layers: Name = Field(description="Experiment with scores of all layers.")
    benchmark: Name | None = Field(None, description="Experiment with tasks and all layers.")


class HyperparametersFigure(Described):
    """Four sweeps: temperature, sentences, mask fraction, learning rate (Figure S2 of the paper)."""

    roles = ("temperature", "sentences", "masking", "learning_rate")

    draw: Literal["hyperparameters"]
    temperature: Name = Field(description="Experiment that sweeps `temperature`.")
    sentences: Name = Field(description="Experiment that sweeps `augmentation.sentences`.")
    masking: Name = Field(description="Experiment that sweeps `augmentation.mask_fraction`.")
    learning_rate: Name = Field(description="Experiment that sweeps `learning_rate`.")


class BeforeAfterFigure(ScoreFigure):
    """One arrow per encoder, from its score before to its score after fine-tuning."""

    draw: Literal["before_after"]


class ClassesFigure(Described):
    """Class sizes of corpora."""

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


class ScoresTable(Described):
    """Scores of one experiment: means and standard deviations over seeds, with published values in parentheses."""

    roles = ("experiment",)

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


class DifferencesTable(Described):
    """Differences from the scores of one model at the last layer, each with a 95 % confidence interval and a verdict.

    Intervals are from a paired bootstrap over texts and seeds: models are compared on the same texts.
    """

    roles = ("experiment",)

    lay_out: Literal["differences"]
    experiment: Name = Field(description="Experiment with scores on corpora that provides the data.")
    against: Text = Field(description="Label of the model that the others are compared with.")
    labels: list[Text] = Field(default_factory=list, description="Labels to compare, in this order; defaults to all.")
    scores: list[ScoreName] = Field(default_factory=list, description="Scores to show; defaults to all.")
    steps: list[Step] = Field(default_factory=list, description="Steps to show; defaults to all.")
    pooling: Pooling = Field("mean", description="Pooling to show.")
    resamples: int = Field(2000, ge=100, description="Number of bootstrap resamples.")
    seed: int = Field(42, ge=0, description="Random seed of the bootstrap.")


class CorporaTable(Described):
    """Corpora: numbers of texts and classes, lengths, number of test texts of the first kNN score."""

    lay_out: Literal["corpora"]
    corpora: list[Name] = Field(min_length=1, description="Corpora to show.")


Table = ScoresTable | DifferencesTable | CorporaTable
