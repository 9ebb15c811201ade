"""Figures. A figure named `published/…` is drawn from the published numbers."""

import csv
import shlex
from collections.abc import Callable

from selfembed.settings.figures import FigureKind
from selfembed.settings.schema import Settings
from selfembed.study.expansion import default_label
from selfembed.workflow.flags import Inputs, Wildcards, flags, menu_title
from selfembed.workflow.maps import Maps, cluster_files
from selfembed.workflow.scores import measures_of


class Figures:
    """Input and parameter functions of the rules for figures."""

    def __init__(self, settings: Settings, maps: Maps) -> None:
        self.settings = settings
        self.maps = maps

    def drawn_as(self, kind: str) -> str:
        """Pattern of the names of all figures of a kind, and of their published counterparts."""
        names = [name for name, figure in self.settings.figures.items() if figure.draw == kind]
        return f"(published/)?({'|'.join(names) or 'none-of-this-kind'})"

    def files(self, name: str) -> list[str]:
        figure = self.settings.figures.get(name)
        if figure and figure.draw == "interactive_map":
            return self.maps.pages(figure)
        return [f"<figures>/{name}.png", f"<figures>/{name}.pdf"]

    def all_files(self) -> list[str]:
        """Files of all figures of the config, and of the comparison with published numbers."""
        names = [*self.settings.figures, *(["paper_comparison"] if self.settings.published else [])]
        return [path for name in names for path in self.files(name)]

    def published_files(self) -> list[str]:
        """The files of all figures that can be drawn from published numbers."""
        with_numbers = published_experiments(self.settings)
        enough = {"all": all, "any": any, "never": lambda known: False}
        return [
            path
            for name, figure in self.settings.figures.items()
            if enough[figure.published](experiment in with_numbers for experiment in figure.experiments.values())
            for path in self.files(f"published/{name}")
        ]

    def of(self, wildcards: Wildcards):
        return self.settings.figures[wildcards.figure.removeprefix("published/")]

    def table(self, role: str = "experiment", suffix: str = "") -> Callable[[Wildcards], str | list[str]]:
        """Return an input function: the table of an experiment of a figure; empty without one."""

        def path(wildcards: Wildcards) -> str | list[str]:
            name = getattr(self.of(wildcards), role)
            folder = "published" if wildcards.figure.startswith("published/") else "tables"
            return f"<results>/{folder}/{name}{suffix}.csv" if name else []

        return path

    def published(self, role: str = "experiment") -> Callable[[Wildcards], str | list[str]]:
        """Return an input function: the published numbers to mark in a figure; empty without them."""

        def path(wildcards: Wildcards) -> str | list[str]:
            name = getattr(self.of(wildcards), role)
            wanted = self.settings.published and name and not wildcards.figure.startswith("published/")
            return f"<results>/published/{name}.csv" if wanted else []

        return path

    def tables(self, kind: type[FigureKind]) -> dict[str, Callable[[Wildcards], str | list[str]]]:
        """Return input functions for the tables of all experiments of a kind of figure, and for published numbers."""
        found = {role: self.table(role) for role in kind.panels}
        return found | {f"published_{role}": self.published(role) for role in kind.panels}

    def map_table(self, wildcards: Wildcards) -> str:
        return f"<results>/tables/{self.of(wildcards).experiment}_maps.parquet"

    def corner_table(self, wildcards: Wildcards) -> str | list[str]:
        """Table of the scores in the corners of maps; empty without them."""
        return self.table()(wildcards) if self.of(wildcards).score else []

    def clusters(self, wildcards: Wildcards) -> list[str]:
        """Clusters, and their names, of the corpora of a figure of maps that have no labels."""
        items = self.maps.without_labels(self.of(wildcards).experiment).values()
        return [path for item in items for path in cluster_files(item)]

    def cluster_entries(self, wildcards: Wildcards, input: Inputs) -> str:
        """Return an `--entry` for each corpus: its clusters and their names."""
        paths = iter(input.clusters)
        corpora = self.maps.without_labels(self.of(wildcards).experiment)
        return " ".join(f"--entry {corpus} {next(paths)} {next(paths)}" for corpus in corpora)

    def class_sizes(self, wildcards: Wildcards) -> list[str]:
        return [f"<results>/descriptions/{corpus}_classes.csv" for corpus in self.of(wildcards).corpora]

    def flags(self, *keys: str) -> Callable[[Wildcards], str]:
        """Return a parameter function: settings of a figure as flags."""
        return lambda wildcards: flags(self.of(wildcards), keep=keys)

    def measures(self, wildcards: Wildcards) -> str:
        return measures_of(self.settings, *self.of(wildcards).experiments.values())

    def measured(self, wildcards: Wildcards) -> list[str]:
        """Name and description of the score of a figure."""
        figure = self.of(wildcards)
        number = self.settings.numbers(self.settings.experiments[figure.experiment])[figure.score]
        return [number.heading, number.explained]

    def colors(self, wildcards: Wildcards) -> str:
        """Colours of the labels of a figure, as flags."""
        entries = self.settings.experiments[self.of(wildcards).experiment].models
        colors = [f"{entry.label or default_label(entry)}={entry.color}" for entry in entries if entry.color]
        return f"--colors {shlex.join(colors)}" if colors else ""

    def title(self, wildcards: Wildcards) -> str:
        return self.of(wildcards).title or wildcards.figure

    def label(self, wildcards: Wildcards) -> dict[str, str]:
        """Entry of a figure in the menu of the report."""
        name = wildcards.figure.removeprefix("published/")
        published = " (published numbers)" if wildcards.figure != name else ""
        return {"figure": menu_title(self.settings.figures, name) + published}

    def caption(self, wildcards: Wildcards) -> str:
        return " ".join(self.of(wildcards).caption.split())  # a line of its own could be a directive


def published_experiments(settings: Settings) -> set[str]:
    """Experiments with published numbers."""
    if not settings.published:
        return set()
    with open(settings.published, newline="", encoding="utf-8") as file:
        return {row["experiment"] for row in csv.DictReader(file)}
