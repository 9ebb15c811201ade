"""Maps of corpora in two dimensions, and clusters of their texts."""

import shlex
from collections.abc import Callable
from functools import cached_property

from selfembed.settings.corpora import RelabelledSource, SampleSource, TableSource
from selfembed.settings.figures import InteractiveMapFigure
from selfembed.settings.schema import Settings
from selfembed.study.checks.names import labelled
from selfembed.study.expansion import Evaluation, Study, mapped
from selfembed.workflow.flags import Wildcards, flags


class Maps:
    """Input and parameter functions of the rules for maps."""

    def __init__(self, settings: Settings, study: Study) -> None:
        self.settings = settings
        self.study = study

    def of(self, experiment: str) -> list[Evaluation]:
        """Evaluations of an experiment that are mapped."""
        return mapped(self.study.experiments[experiment], self.settings)

    def files(self, wildcards: Wildcards) -> list[str]:
        return [map_file(item) for item in self.of(wildcards.experiment)]

    def names(self, wildcards: Wildcards) -> str:
        """Labels and corpora of the maps of an experiment as flags."""
        items = self.of(wildcards.experiment)
        series, corpora = [item.line.series for item in items], [item.on for item in items]
        return f"--series {shlex.join(series)} --corpora {shlex.join(corpora)}"

    def without_labels(self, experiment: str) -> dict[str, Evaluation]:
        """The last mapped evaluation of every corpus of an experiment that has no labels."""
        last = {item.on: item for item in self.of(experiment)}
        return {corpus: item for corpus, item in last.items() if not labelled(corpus, self.settings)}

    @cached_property
    def interactive(self) -> dict[str, InteractiveMapFigure]:
        """Corpora with an interactive map, and their figures."""
        figures = [figure for figure in self.settings.figures.values() if isinstance(figure, InteractiveMapFigure)]
        return {item.on: figure for figure in figures for item in self.of(figure.experiment)}

    def pages(self, figure: InteractiveMapFigure) -> list[str]:
        """The interactive maps of a figure."""
        return [f"<figures>/maps/{corpus}.html" for corpus, owner in self.interactive.items() if owner is figure]

    def shown(self, wildcards: Wildcards) -> list[Evaluation]:
        """Evaluations in the interactive map of a corpus, in the order of the models."""
        experiment = self.interactive[wildcards.corpus].experiment
        return [item for item in self.of(experiment) if item.on == wildcards.corpus]

    def shown_files(self, wildcards: Wildcards) -> list[str]:
        """t-SNE positions of the interactive map of a corpus."""
        return [map_file(item) for item in self.shown(wildcards)]

    def shown_names(self, wildcards: Wildcards) -> str:
        """Names of the models in the interactive map: labels, with the step if a label has several."""
        items = self.shown(wildcards)
        labels = [item.line.label for item in items]
        return shlex.join(
            f"{label}, step {item.step}" if labels.count(label) > 1 else label
            for label, item in zip(labels, items, strict=True)
        )

    def shown_clusters(self, wildcards: Wildcards) -> list[str]:
        """Clusters, and their names, of the interactive map of a corpus: those of the last model."""
        return cluster_files(self.shown(wildcards)[-1])

    def shown_neighbors(self, wildcards: Wildcards) -> list[str]:
        """Nearest texts by every model of the interactive map of a corpus."""
        return [f"<results>/neighbors/{item.embeddings}.parquet" for item in self.shown(wildcards)]

    def page_flags(self, *keys: str) -> Callable[[Wildcards], str]:
        """Return a parameter function: settings of the interactive map of a corpus as flags."""
        return lambda wildcards: flags(self.interactive[wildcards.corpus], keep=keys)

    def page_title(self, wildcards: Wildcards) -> str:
        return self.interactive[wildcards.corpus].title or f"Map of {wildcards.corpus}"

    def page_label(self, wildcards: Wildcards) -> dict[str, str]:
        """Entry of the interactive map of a corpus in the menu of the report."""
        title = self.interactive[wildcards.corpus].title
        return {"figure": f"{title} (map of {wildcards.corpus})" if title else self.page_title(wildcards)}

    def page_caption(self, wildcards: Wildcards) -> str:
        return self.interactive[wildcards.corpus].caption

    def colored(self, corpus: str) -> str | None:
        """The corpus whose file has further columns to colour a corpus by: itself, or the one that has its texts."""
        source = self.settings.corpora[corpus].source
        if isinstance(source, RelabelledSource | SampleSource):
            return self.colored(source.corpus)
        return corpus if isinstance(source, TableSource) and source.colors else None

    def color_file(self, wildcards: Wildcards) -> str | list[str]:
        """The file with further columns to colour a corpus by; empty without them."""
        name = self.colored(wildcards.corpus)
        return self.settings.corpora[name].source.raw_file(name) if name else []

    def color_flags(self, wildcards: Wildcards) -> str:
        """Columns to colour a corpus by, and how its texts are found in their file, as flags."""
        name = self.colored(wildcards.corpus)
        if name is None:
            return ""
        corpus = self.settings.corpora[name]
        reading = flags(corpus.source, keep=("text", "id", "format", "encoding", "separator", "colors"))
        return f"{reading} {flags(corpus, keep=('minimum_length', 'deduplicate'))}"

    def cluster_flags(self, wildcards: Wildcards) -> str:
        """Number of clusters as a flag, if a figure sets it."""
        figure = self.interactive.get(wildcards.corpus)
        return flags(figure, keep=("clusters",)) if figure else ""


def map_file(item: Evaluation) -> str:
    """The map of an evaluation's embeddings."""
    return f"<results>/maps/{item.embeddings}.parquet"


def cluster_files(item: Evaluation) -> list[str]:
    """The clusters of the texts of an evaluation, and their names."""
    return [f"<results>/clusters/{item.embeddings}{ending}" for ending in (".parquet", ".csv")]
