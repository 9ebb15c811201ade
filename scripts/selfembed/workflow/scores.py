"""Scores on corpora and tasks, and their collection by experiment."""

import shlex
from collections.abc import Iterable
from pathlib import Path

from selfembed.settings.schema import Settings
from selfembed.settings.scores import RegistryTask
from selfembed.study.expansion import Evaluation, Line, Study, format_value, texts_of
from selfembed.tasks import task_files
from selfembed.workflow.flags import Inputs, Wildcards, braced, flags, measures


class Scores:
    """Input and parameter functions of the rules for scores."""

    def __init__(self, settings: Settings, study: Study) -> None:
        self.settings = settings
        self.study = study

    def embeddings(self, wildcards: Wildcards) -> str:
        """Embeddings of a corpus; a relabelled corpus uses those of its original."""
        texts = texts_of(wildcards.corpus, self.settings)
        return f"<results>/embeddings/{texts}/{wildcards.model}/{wildcards.step}/{wildcards.selection}"

    def score_flags(self, wildcards: Wildcards) -> str:
        """Name and settings of a score on a corpus."""
        score = flags(self.settings.scores[wildcards.score], omit=("type",))
        return f"--score {wildcards.score} {score} --threads {self.settings.threads.score}"

    def task_data(self, wildcards: Wildcards) -> str | list[str]:
        """Data of an MTEB task: downloaded data, a corpus, or files."""
        task = self.settings.tasks[wildcards.task]
        if isinstance(task, RegistryTask):
            return f"<results>/tasks/{wildcards.task}"
        if task.files is None:
            return f"<results>/corpora/{task.corpus}.parquet"
        return [str(task_files.find(Path(task.files), name)) for name in task_files.FILES[task.type]]

    def task_flags(self, wildcards: Wildcards, input: Inputs) -> str:
        """Data of an MTEB task and settings of its evaluation as flags."""
        task = self.settings.tasks[wildcards.task]
        if isinstance(task, RegistryTask):
            made_of = f"--data {input.data}"
        else:
            source = f"--corpus {input.data}" if task.files is None else f"--files {shlex.quote(task.files)}"
            made_of = f"--kind {task.type} {source}"
        scaling = "--normalise" if wildcards.scaling == "unit" else "--no-normalise"
        return f"{made_of} --block {task.block} --max-length {wildcards.max_length} {scaling}"

    def experiments(self) -> list[str]:
        """Experiments with scores; the others have only maps."""
        return [name for name in self.settings.experiments if self.of(name)]

    def summaries(self) -> list[str]:
        """The summaries of all experiments that have scores."""
        return [f"<results>/tables/{name}_summary.csv" for name in self.experiments()]

    def of(self, experiment: str) -> list[Evaluation]:
        """Evaluations of an experiment with scores."""
        return [evaluation for evaluation in self.study.experiments[experiment] if evaluation.score]

    def files(self, wildcards: Wildcards) -> list[str]:
        """The score files of an experiment."""
        return [f"<results>/scores/{evaluation.path}.csv" for evaluation in self.of(wildcards.experiment)]

    def entries(self, wildcards: Wildcards, input: Inputs) -> str:
        """Return an `--entry` for each label of an experiment: its parts and its score files."""
        return line_entries(self.of(wildcards.experiment), input.scores)

    def measures(self, wildcards: Wildcards) -> str:
        """Measures of the scores of an experiment as flags."""
        return measures_of(self.settings, wildcards.experiment)

    def labelled_runs(self, wildcards: Wildcards) -> list[tuple[str, str]]:
        """Unique pairs of label and model path of the runs of an experiment."""
        evaluations = self.study.experiments[wildcards.experiment]
        return list(dict.fromkeys((item.line.label, item.model.path) for item in evaluations if item.model.recipe))

    def run_records(self, wildcards: Wildcards) -> list[str]:
        """The records of an experiment's runs, label by label."""
        return [f"<results>/runs/{path.removeprefix('tuned/')}" for _, path in self.labelled_runs(wildcards)]

    def run_entries(self, wildcards: Wildcards, input: Inputs) -> str:
        """Return an `--entry` for each label of an experiment: the records of its runs."""
        labels = [(label,) for label, _ in self.labelled_runs(wildcards)]
        return entries(zip(labels, input.records, strict=True))


def measures_of(settings: Settings, *experiments: str) -> str:
    """Measures of the scores of experiments as flags."""
    found = {}
    for name in experiments:
        found |= settings.numbers(settings.experiments[name])
    return measures(found)


def line_entries(evaluations: list[Evaluation], paths: Iterable[str]) -> str:
    """Return an `--entry` for each label: its parts and the files of its evaluations."""
    return entries((line_words(item.line), path) for item, path in zip(evaluations, paths, strict=True))


def line_words(line: Line) -> tuple[str, ...]:
    """Return a label and its parts: series, swept value, group."""
    return (line.label, line.series, "" if line.x is None else format_value(line.x), line.group or "")


def entries(named: Iterable[tuple[tuple[str, ...], str]]) -> str:
    """Return an `--entry` for each tuple of words, with all of its paths."""
    files: dict[tuple[str, ...], list[str]] = {}
    for words, path in named:
        files.setdefault(words, []).append(path)
    return " ".join(f"--entry {shlex.join(words)} {' '.join(braced(paths))}" for words, paths in files.items())
