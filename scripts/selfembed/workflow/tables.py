"""Tables for print, and claims."""

import json
from collections.abc import Callable

from selfembed.settings.figures import ScoresTable
from selfembed.settings.schema import Settings
from selfembed.study import claimed
from selfembed.study.expansion import Evaluation, Study, repeated
from selfembed.workflow.flags import Inputs, Wildcards, flags, menu_title, one_of
from selfembed.workflow.scores import entries, line_entries, measures_of, score_file


class Tables:
    """Input and parameter functions of the rules for tables."""

    def __init__(self, settings: Settings, study: Study) -> None:
        self.settings = settings
        self.study = study

    def laid_out_as(self, kind: str) -> str:
        """Pattern of the names of all tables of a kind."""
        return one_of(name for name, table in self.settings.tables.items() if table.lay_out == kind)

    def files(self, name: str) -> list[str]:
        return [f"<figures>/{name}{ending}" for ending in (".csv", ".tex", ".html")]

    def all_files(self) -> list[str]:
        """The files of every table of the config."""
        return [path for name in self.settings.tables for path in self.files(name)]

    def of(self, wildcards: Wildcards):
        return self.settings.tables[wildcards.table]

    def source(self, wildcards: Wildcards) -> str:
        """Scores of a table."""
        return f"<results>/tables/{self.of(wildcards).experiment}.csv"

    def published(self, wildcards: Wildcards) -> str | list[str]:
        """Published numbers of a table; empty without them."""
        return f"<results>/published/{self.of(wildcards).experiment}.csv" if self.settings.published else []

    def descriptions(self, wildcards: Wildcards) -> list[str]:
        return [f"<results>/descriptions/{corpus}.csv" for corpus in self.of(wildcards).corpora]

    def compared(self, wildcards: Wildcards) -> list[Evaluation]:
        """Scores on corpora of a table of differences."""
        found = self.study.experiments[self.of(wildcards).experiment]
        return [item for item in found if item.score and item.on in self.settings.corpora]

    def compared_files(self, suffix: str) -> Callable[[Wildcards], list[str]]:
        """Return an input function: files of the scores of a table of differences."""
        return lambda wildcards: [f"<results>/scores/{item.path}{suffix}" for item in self.compared(wildcards)]

    def compared_entries(self, wildcards: Wildcards, input: Inputs) -> str:
        """Return an `--entry` for each label of a table of differences: its score files."""
        return line_entries(self.compared(wildcards), input.scores)

    def layout(self, wildcards: Wildcards) -> str:
        """Layout of a table as flags, and the corpora to omit from means because their texts are repeated."""
        table = self.of(wildcards)
        layout = flags(table, omit=("lay_out", "experiment", "corpora"))
        if not isinstance(table, ScoresTable) or not table.means:
            return layout
        words = repeated(self.settings.experiments[table.experiment].corpora, self.settings)
        return f"{layout} --repeated {' '.join(words)}" if words else layout

    def measures(self, wildcards: Wildcards) -> str:
        return measures_of(self.settings, self.of(wildcards).experiment)

    def title(self, wildcards: Wildcards) -> str:
        return self.of(wildcards).title or wildcards.table

    def label(self, wildcards: Wildcards) -> dict[str, str]:
        """Entry of a table in the menu of the report."""
        return {"table": menu_title(self.settings.tables, wildcards.table)}


class Claims:
    """Input and parameter functions of the rule `judge_claims`."""

    def __init__(self, settings: Settings, study: Study) -> None:
        self.settings = settings
        self.study = study

    def pages(self, claims: str = "claims") -> list[str]:
        """Files of the claims; empty without claims."""
        endings = ("csv", "md", "tex", "html") if self.settings.claims else ()
        return [f"<figures>/{claims}.{ending}" for ending in endings]

    def described(self) -> str:
        """The claims of the config, as JSON."""
        return json.dumps(claimed.described(self.settings, self.study), ensure_ascii=False)

    def published(self, wildcards: Wildcards) -> str | list[str]:
        """The published numbers of the config; empty without them."""
        return self.settings.published or []

    def evaluations(self, wildcards: Wildcards) -> list[tuple[str, Evaluation]]:
        """Experiments and evaluations that claims need; empty for published claims."""
        if wildcards.claims.startswith("published/"):
            return []
        needed = claimed.needed(self.settings, self.study)
        return [(experiment, item) for experiment, items in needed.items() for item in items]

    def scores(self, wildcards: Wildcards) -> list[str]:
        """Score files that claims need."""
        return [f"<results>/scores/{item.job}.csv" for _, item in self.evaluations(wildcards)]

    def outcomes(self, wildcards: Wildcards) -> list[str]:
        """Outcomes of texts for the scores on corpora that claims need."""
        items = [item for _, item in self.evaluations(wildcards)]
        return [f"<results>/scores/{item.path}.parquet" for item in items if item.on in self.settings.corpora]

    def entries(self, wildcards: Wildcards, input: Inputs) -> str:
        """Return an `--entry` for each experiment and label: the score files that claims need."""
        found = zip(self.evaluations(wildcards), input.scores, strict=True)
        return entries(((experiment, item.line.label), score_file(item, path)) for (experiment, item), path in found)
