"""The report on a corpus and its adapted model."""

import shlex
from functools import cached_property

from selfembed.models import interpolation
from selfembed.settings.corpora import CropsSource
from selfembed.settings.encoders import HubEncoder
from selfembed.settings.report import Report as ReportSettings
from selfembed.settings.schema import Settings
from selfembed.study import adapted
from selfembed.study.expansion import Evaluation, Study, base_of
from selfembed.workflow.figures import Figures
from selfembed.workflow.flags import Inputs, Wildcards, file_flags
from selfembed.workflow.models import Models


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
    def item(self) -> Evaluation:
        """First evaluation of the adapted model."""
        return adapted.evaluations(self.settings, self.study)[0]

    def account(self, wildcards: Wildcards) -> dict[str, str | list[str]]:
        """Named inputs with the facts about the corpus and the model."""
        report, model = self.asked, self.item.model
        encoder = self.settings.encoders[model.encoder]
        # The config tells the revision of a pinned encoder; the base model that of another.
        unpinned = isinstance(encoder, HubEncoder) and encoder.revision is None
        base = {"base": f"<results>/models/{base_of(model, self.settings).path}"} if unpinned else {}
        return base | {
            "counts": f"<results>/corpora/{adapted.cleaned(self.settings)}.json",
            "description": f"<results>/descriptions/{model.corpus}.csv",
            "record": f"<results>/runs/{model.path.removeprefix('tuned/')}",
            "pairs_settings": f"<results>/pairs/{self.pairs_of(model)}.json",
            "differences": [f"<figures>/{table}.csv" for table in report.differences],
        }

    def account_flags(self, wildcards: Wildcards, input: Inputs) -> str:
        """Facts about the corpus and the model as flags: files and names."""
        item = self.item
        encoder = self.settings.encoders[item.model.encoder]
        words = ["--corpus", item.model.corpus, "--label", item.line.label]
        words += ["--encoder", encoder.description, "--max-length", str(encoder.max_length)]
        before = adapted.base_label(self.settings, self.study)
        words += [] if before is None else ["--base-label", before]
        fraction = interpolation.fraction_of(item.step)
        words += [] if fraction is None else ["--fraction", str(fraction)]
        words += ["--corpora", *adapted.scored_on(self.settings, self.study)]
        words_of_run = shlex.join(words)  # ty: ignore[invalid-argument-type] a run has a corpus
        return f"{file_flags(*self.account(wildcards))(wildcards, input)} {words_of_run}"

    def run(self, wildcards: Wildcards) -> str:
        """The run that the adapted model is a step of."""
        return f"<results>/models/{self.item.model.path}"

    def step(self, wildcards: Wildcards) -> str:
        """The step of the adapted model."""
        return self.item.step

    def base_model_flag(self, wildcards: Wildcards) -> str:
        """Repository on the Hub of the base model as a flag; empty for other encoders."""
        encoder = self.settings.encoders[self.item.model.encoder]
        return f"--base-model {shlex.quote(encoder.id)}" if isinstance(encoder, HubEncoder) else ""

    def title(self, wildcards: Wildcards) -> str:
        """Title of the report."""
        return self.asked.title or f"Report on {self.asked.corpus}"

    def crops(self, wildcards: Wildcards) -> list[str]:
        """Counts of the corpora of crops that the model is scored on."""
        corpora = {name: self.settings.corpora[name] for name in adapted.scored_on(self.settings, self.study)}
        crops = [name for name, corpus in corpora.items() if isinstance(corpus.source, CropsSource)]
        return [f"<results>/corpora/{name}.json" for name in crops]

    def pictures(self) -> list[str]:
        """Names of the figures in the report, without interactive maps."""
        return [name for name in self.asked.figures if self.settings.figures[name].draw != "interactive_map"]

    def figures(self, wildcards: Wildcards) -> list[str]:
        """The figures in the report."""
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
