"""The report on a corpus and its adapted model."""

import shlex
from collections.abc import Callable
from functools import cached_property

from selfembed.settings.report import Report as ReportSettings
from selfembed.settings.schema import Settings
from selfembed.study import adapted
from selfembed.study.checks.names import original
from selfembed.study.expansion import Evaluation, Study
from selfembed.workflow.figures import Figures
from selfembed.workflow.flags import Inputs, Wildcards, file_flags, flags
from selfembed.workflow.models import Models
from selfembed.workflow.scores import bootstrap, entries, line_words, measures_of


class Report:
    """Input and parameter functions of the rules for the report."""

    def __init__(self, settings: Settings, study: Study, models: Models, figures_of_config: Figures) -> None:
        self.settings = settings
        self.study = study
        self.pairs_of = models.pairs_of
        self.figure_files = figures_of_config.files

    def files(self) -> list[str]:
        """The report and the adapted model, if the config asks for them."""
        return ["<results>/report.html", "<results>/adapted_model"] if self.settings.report else []

    @cached_property
    def asked(self) -> ReportSettings:
        """The settings of the report."""
        if self.settings.report is None:
            # Snakemake would show the traceback of any other error of an input function.
            raise SystemExit("config error: report: missing; this key is needed for a report and an adapted model")
        return self.settings.report

    @cached_property
    def candidates(self) -> list[Evaluation]:
        """An evaluation of every candidate, and of the encoder that is kept otherwise."""
        return adapted.candidates(self.asked, self.settings, self.study)

    @cached_property
    def kept(self) -> Evaluation:
        """An evaluation of the encoder that is kept if no candidate is better."""
        return next(item for item in self.candidates if item.line.label == self.asked.keep)

    def compared(self) -> list[tuple[str, Evaluation]]:
        """The scores that the choice depends on, with their purposes."""
        found = adapted.evaluations(self.asked, self.settings, self.study)
        return [(purpose, item) for purpose, items in found.items() for item in items]

    def scores(self, suffix: str) -> Callable[[Wildcards], list[str]]:
        """Return an input function: files of the scores that the choice depends on."""
        return lambda wildcards: [f"<results>/scores/{item.path}{suffix}" for _, item in self.compared()]

    def score_entries(self, wildcards: Wildcards, input: Inputs) -> str:
        """Return an `--entry` for each purpose and label: the score files."""
        found = zip(self.compared(), input.scores, strict=True)
        return entries(((purpose, *line_words(item.line)), path) for (purpose, item), path in found)

    def choice_flags(self, wildcards: Wildcards) -> str:
        """Purpose and candidates as flags, the bootstrap as in tables of differences, and measures."""
        labels = [item.line.label for item in self.candidates if item.line.label != self.asked.keep]
        words = [flags(self.asked, keep=("purpose", "keep")), f"--candidates {shlex.join(labels)}"]
        return " ".join([*words, bootstrap(), measures_of(self.settings, *self.asked.evidence.values())])

    def account(self, wildcards: Wildcards) -> dict[str, str | list[str]]:
        """Named inputs with the facts about the corpus and the models."""
        runs = [item.model for item in self.candidates if item.model.recipe]
        return {
            "base": f"<results>/models/{self.kept.model.path}",
            "counts": f"<results>/corpora/{original(self.asked.corpus, self.settings)}.json",
            "description": f"<results>/descriptions/{self.asked.corpus}.csv",
            "choice": "<results>/choice.json",
            "table": "<results>/tables/all_models.csv",
            "records": [f"<results>/runs/{run.path.removeprefix('tuned/')}" for run in dict.fromkeys(runs)],
            "settings_of_pairs": [f"<results>/pairs/{self.pairs_of(run)}.json" for run in dict.fromkeys(runs)],
        }

    def models(self, wildcards: Wildcards) -> list[str]:
        """Folders of the candidates."""
        return list(dict.fromkeys(f"<results>/models/{item.model.path}" for item in self.candidates))

    def account_flags(self, wildcards: Wildcards, input: Inputs) -> str:
        """Facts about the corpus and the models as flags: files and names."""
        encoder = self.settings.encoders[self.kept.model.encoder]
        pooling = self.kept.selection.split("_")[0]
        words = ["--corpus", self.asked.corpus, "--encoder", encoder.description]
        words += ["--max-length", str(encoder.max_length), "--pooling", pooling]
        folders = dict(zip(self.models(wildcards), input.models, strict=True))
        runs = dict.fromkeys(item.model for item in self.candidates if item.model.recipe)
        facts = dict(zip(runs, zip(input.records, input.settings_of_pairs, strict=True), strict=True))
        for item in self.candidates:
            folder = folders[f"<results>/models/{item.model.path}"]
            words += ["--candidate", item.line.label, item.step, folder, *facts.get(item.model, ())]
        files = file_flags("base", "counts", "description", "choice", "table")(wildcards, input)
        return f"{files} {shlex.join(words)}"

    def title(self, wildcards: Wildcards) -> str:
        return self.asked.title or f"Report on {self.asked.corpus}"

    def pairs(self, wildcards: Wildcards) -> list[str]:
        """Counts of the corpora of crops, and of titles, that candidates are scored on."""
        names = adapted.scored_on(self.asked, self.settings, self.study)
        return [f"<results>/corpora/{name}.json" for name in names if self.settings.corpora[name].source.pairs_score]

    def searched(self) -> list[Evaluation]:
        """The first scores of search of the encoder and of every candidate, on the first corpus."""
        found: dict[str, Evaluation] = {}
        labels = {item.line.label for item in self.candidates}
        for item in adapted.evaluations(self.asked, self.settings, self.study).get("search", []):
            if item.line.label in labels:
                found.setdefault(item.line.label, item)
        return list(found.values())

    def queries(self, wildcards: Wildcards) -> list[str]:
        """The corpus of pairs that examples are taken from; empty without search."""
        return [f"<results>/corpora/{item.on}.parquet" for item in self.searched()[:1]]

    def vectors(self, wildcards: Wildcards) -> list[str]:
        """Embeddings of that corpus by the encoder and every candidate."""
        return [f"<results>/embeddings/{item.embeddings}" for item in self.searched()]

    def vector_entries(self, wildcards: Wildcards, input: Inputs) -> str:
        """Return a `--vectors` for each of these embeddings: the label and the folder."""
        found = zip(self.searched(), input.vectors, strict=True)
        return " ".join(f"--vectors {shlex.join([item.line.label, path])}" for item, path in found)

    def pictures(self) -> list[str]:
        """Names of the figures in the report, without interactive maps."""
        return [name for name in self.asked.figures if self.settings.figures[name].draw != "interactive_map"]

    def figures(self, wildcards: Wildcards) -> list[str]:
        return [f"<figures>/{name}.png" for name in self.pictures()]

    def maps(self, wildcards: Wildcards) -> list[str]:
        """The interactive maps that the report links."""
        pictures = self.pictures()
        return [path for name in self.asked.figures if name not in pictures for path in self.figure_files(name)]

    def entries(self, wildcards: Wildcards, input: Inputs) -> str:
        """Return an `--entry` for each figure of the report: title, description, caption and path."""
        entries = []
        for name, path in zip(self.pictures(), input.figures, strict=True):
            figure = self.settings.figures[name]
            shows = type(figure).__doc__.splitlines()[0]
            entries.append(f"--entry {shlex.join([figure.title or name, shows, figure.caption, path])}")
        return " ".join(entries)
