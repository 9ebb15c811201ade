"""Scores on corpora and tasks, and their collection by experiment."""

import shlex
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from selfembed.jobs.options import defaults
from selfembed.settings.figures import DifferencesTable
from selfembed.settings.schema import Settings
from selfembed.settings.scores import RegistryTask
from selfembed.study.expansion import BENCHMARK, Evaluation, Line, Study, format_value, texts_of
from selfembed.tasks import task_files
from selfembed.workflow.flags import Inputs, Wildcards, braced, flags, measures


class Scores:
    """Input and parameter functions of the rules for scores."""

    def __init__(self, settings: Settings, study: Study) -> None:
        self.settings = settings
        self.study = study

    def group(self, wildcards: Wildcards) -> str | None:
        """Name of the group in which a profile with groups runs a score, with others; none for exports.

        Exports depend on scores of candidates, and a group must not depend on itself.
        """
        return None if wildcards.model.startswith("exports/") else "scores"

    def embeddings(self, wildcards: Wildcards) -> str:
        """Embeddings of a corpus; a relabelled corpus uses those of its original."""
        texts = texts_of(wildcards.corpus, self.settings)
        return f"<results>/embeddings/{texts}/{wildcards.model}/{wildcards.step}/{wildcards.selection}"

    def score_flags(self, wildcards: Wildcards) -> str:
        """Name and settings of a score on a corpus."""
        score = flags(self.settings.scores[wildcards.score], omit=("type",))
        return f"--score {wildcards.score} {score} --threads {self.settings.threads.score}"

    @cached_property
    def benchmarks(self) -> dict[str, dict[str, dict[tuple[str, str], list[int]]]]:
        """The layers of every job, task, and pooling and scaling, in the order of the config."""
        found: dict[str, dict[str, dict[tuple[str, str], list[int]]]] = {}
        for items in self.study.experiments.values():
            for item in items:
                if item.score == BENCHMARK:
                    pooling, layer, _, scaling = item.selection.split("_")
                    layers = found.setdefault(item.job, {}).setdefault(item.on, {}).setdefault((pooling, scaling), [])
                    if int(layer) not in layers:
                        layers.append(int(layer))
        return found

    def benchmark(self, wildcards: Wildcards) -> dict[str, dict[tuple[str, str], list[int]]]:
        """The layers of every task, and pooling and scaling, of a job."""
        return self.benchmarks.get(f"{BENCHMARK}/{wildcards.model}/{wildcards.step}/{wildcards.max_length}", {})

    def data_of_task(self, name: str) -> list[str]:
        """Data of an MTEB task: downloaded data, a corpus, or files."""
        task = self.settings.tasks[name]
        if isinstance(task, RegistryTask):
            return [f"<results>/tasks/{name}"]
        if task.files is None:
            return [f"<results>/corpora/{task.corpus}.parquet"]
        return [str(task_files.find(Path(task.files), file)) for file in task_files.FILES[task.type]]

    def benchmark_data(self, wildcards: Wildcards) -> list[str]:
        """Data of all tasks of a job."""
        return [path for name in self.benchmark(wildcards) for path in self.data_of_task(name)]

    def benchmark_flags(self, wildcards: Wildcards, input: Inputs) -> str:
        """Tasks of a job and their data, and the scores to compute, as flags."""
        data = iter(input.data)
        words = []
        together: dict[tuple[str, str, str], list[str]] = {}
        for name, scores in self.benchmark(wildcards).items():
            task = self.settings.tasks[name]
            path, *_ = [next(data) for _ in self.data_of_task(name)]
            files = None if isinstance(task, RegistryTask) else task.files
            words.append(f"--task {shlex.join([name, task.block, task.type, files or path])}")
            for (pooling, scaling), layers in scores.items():
                numbers = ",".join(map(str, sorted(layers)))
                together.setdefault((pooling, numbers, scaling), []).append(name)
        words += [f"--score {shlex.join([*score, *names])}" for score, names in together.items()]
        how = flags(self.settings.mteb, keep=("precision",))
        return " ".join([*words, f"--max-length {wildcards.max_length}", how])

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
        """Score files of the jobs of an experiment, one for every evaluation."""
        return [f"<results>/scores/{evaluation.job}.csv" for evaluation in self.of(wildcards.experiment)]

    def entries(self, wildcards: Wildcards, input: Inputs) -> str:
        """Return an `--entry` for each label of an experiment: its parts and its score files."""
        return line_entries(self.of(wildcards.experiment), input.scores)

    def measures(self, wildcards: Wildcards) -> str:
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


def bootstrap() -> str:
    """Settings of the bootstrap as flags: the defaults of tables of differences."""
    return " ".join(f"--{key} {value}" for key, value in defaults(DifferencesTable, "resamples", "seed").items())


def line_entries(evaluations: list[Evaluation], paths: Iterable[str]) -> str:
    """Return an `--entry` for each label: its parts and the files of its evaluations.

    Args:
        paths: score file of the job of each evaluation.
    """
    words = ((line_words(item.line), score_file(item, path)) for item, path in zip(evaluations, paths, strict=True))
    return entries(words)


def score_file(evaluation: Evaluation, path: str) -> str:
    """Return the file of a score, from the score file of its job."""
    return path.replace(".csv", f"{evaluation.path.removeprefix(evaluation.job)}.csv")


def line_words(line: Line) -> tuple[str, ...]:
    """Return a label and its parts: series, swept value, group."""
    return (line.label, line.series, "" if line.x is None else format_value(line.x), line.group or "")


def entries(named: Iterable[tuple[tuple[str, ...], str]]) -> str:
    """Return an `--entry` for each tuple of words, with all of its paths."""
    files: dict[tuple[str, ...], list[str]] = {}
    for words, path in named:
        files.setdefault(words, []).append(path)
    return " ".join(f"--entry {shlex.join(words)} {' '.join(braced(paths))}" for words, paths in files.items())
