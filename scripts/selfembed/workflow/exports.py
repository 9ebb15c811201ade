"""Exports of the adapted model."""

import shlex
from collections.abc import Callable

from selfembed.settings.encoders import BesideWordCounts
from selfembed.settings.schema import Settings
from selfembed.study import adapted
from selfembed.study.expansion import Evaluation, Study
from selfembed.workflow.flags import Inputs, Wildcards
from selfembed.workflow.report import Report
from selfembed.workflow.scores import bootstrap, entries, measures_of

MODEL = "adapted_model"  # what exports are compared with


class Exports:
    """Input and parameter functions of the rules for exports."""

    def __init__(self, settings: Settings, study: Study, page: Report) -> None:
        self.settings = settings
        self.study = study
        self.page = page
        self.names = list(dict.fromkeys(settings.report.exports)) if settings.report else []

    def files(self) -> list[str]:
        """The exports, and the table that compares them; empty without exports."""
        return [*map(self.path, self.names), *self.table()]

    def table(self) -> list[str]:
        """The table that compares the exports; empty without exports."""
        return ["<results>/tables/exports.csv"] if self.names else []

    def path(self, name: str) -> str:
        """Folder of an export or of the model."""
        return f"<results>/{MODEL}" if name == MODEL else f"<results>/exports/{name}"

    def folder(self, wildcards: Wildcards) -> str:
        return self.path(wildcards.export)

    def models(self, wildcards: Wildcards) -> list[str]:
        """Folders of the model and of all exports."""
        return list(map(self.path, [MODEL, *self.names]))

    def corpus(self, wildcards: Wildcards) -> str:
        """The corpus that the model is adapted to."""
        return f"<results>/corpora/{self.page.asked.corpus}.parquet"

    def held_out(self, wildcards: Wildcards) -> float:
        """Fraction of its texts that no candidate is made from."""
        return max(map(self.held_out_of, self.page.candidates))

    def held_out_of(self, item: Evaluation) -> float:
        """Fraction of the texts that a candidate is not made from."""
        if item.model.recipe:
            return self.study.recipes[item.model.recipe].held_out
        encoder = self.settings.encoders[item.model.encoder]
        return encoder.held_out if isinstance(encoder, BesideWordCounts) else 0.0

    def scored(self) -> list[tuple[str, str]]:
        """Names of the model and of all exports, each with the paths of its scores, without suffix."""
        report = adapted.evaluations(self.page.asked, self.settings, self.study)
        places = dict.fromkeys(f"{item.score}/{item.on}" for items in report.values() for item in items)
        return [(name, f"{place}/exports/{name}/final/own_last") for name in [MODEL, *self.names] for place in places]

    def scores(self, suffix: str) -> Callable[[Wildcards], list[str]]:
        """Return an input function: files of the scores of the model and of all exports."""
        return lambda wildcards: [f"<results>/scores/{path}{suffix}" for _, path in self.scored()]

    def entries(self, wildcards: Wildcards, input: Inputs) -> str:
        """Folders and scores of the model and of all exports as flags, the bootstrap, and measures."""
        folders = zip([MODEL, *self.names], input.models, strict=True)
        words = [f"--export {shlex.join(found)}" for found in folders]
        words.append(entries(((name,), path) for (name, _), path in zip(self.scored(), input.scores, strict=True)))
        return " ".join([*words, bootstrap(), measures_of(self.settings, *self.page.asked.evidence.values())])
