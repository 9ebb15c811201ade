"""Score one model at a step on tasks with mteb: every text is embedded once, all layers and poolings in one pass.

The data are downloaded tasks of mteb's registry, labelled corpora, or files. Writes a table with all scores (CSV) and,
in the folder of the same name, for every task, layer, pooling and scaling a row of this table (CSV) and mteb's result
with the additional key `selfembed`, its provenance (JSON). Values are missing if the run diverged.
An interrupted job resumes at the first missing score. Scores in the folder that are still valid are not computed again.
"""

import logging
import math
import os
import shutil
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from selfembed.errors import InputError, reword_errors
from selfembed.jobs import command_line, model_paths, options, seals
from selfembed.jobs.command_line import log
from selfembed.jobs.devices import choose_device, use_threads
from selfembed.jobs.packages import installed_version
from selfembed.jobs.records import (
    UNFINISHED,
    checksum,
    checksum_of_files,
    code_checksum,
    provenance,
    read_json,
    write_json,
    write_table,
)
from selfembed.scores import class_balance
from selfembed.scores.tables import SCORE_COLUMNS
from selfembed.settings.schema import Settings
from selfembed.settings.scores import Mteb, Threads
from selfembed.tasks import task_files
from selfembed.training import divergence

if TYPE_CHECKING:
    from mteb.abstasks.abstask import AbsTask

    from selfembed.tasks import benchmark

REGISTRY = "registry"  # kind of the tasks of mteb's registry
POOLINGS = ("mean", "cls", "last", "own")
SCALINGS = {"unit": True, "raw": False}
# Removed from mteb's result, so that equal models give equal bytes.
TIMELESS = {"evaluation_time": None, "date": None, "evaluation_phases": None}
# Packages whose versions can change a score.
PACKAGES = ("mteb", "datasets", "sentence-transformers", "transformers", "torch")
# Vectors are kept for other tasks with the same texts, up to this size.
MOST_BYTES = 8e9


class Wanted(NamedTuple):
    """A score of a model on a task."""

    pooling: str
    layer: int
    scaling: str

    def file(self, folder: Path, suffix: str) -> Path:
        """File of the score in the folder of a task."""
        return folder / f"{self.pooling}_{self.layer}_{self.scaling}{suffix}"


class Source(NamedTuple):
    """The data of a task."""

    block: str
    kind: str
    path: Path


def main(argv: list[str]) -> None:
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, model="model folder at a step")
    parser.add_argument("--path", required=True, help="model path, for instance tuned/iclr/mpnet/crops/seed-42")
    parser.add_argument("--step", required=True, help="step of the model")
    what = "a task and its data: a folder (a downloaded task, or files) or a prepared corpus; can be repeated"
    names = ("NAME", "BLOCK", "KIND", "DATA")
    parser.add_argument("--task", nargs=4, action="append", required=True, metavar=names, help=what)
    what = "poolings, layers, unit or raw vectors, and tasks to score them on; can be repeated"
    parser.add_argument("--score", nargs="+", action="append", required=True, metavar="WORD", help=what)
    options.add(parser, Mteb, omit=("normalise",))
    options.add(parser, Settings, keep=("device",))
    options.add(parser, Threads, keep=("embed",), names={"embed": "threads"})
    command_line.add_outputs(parser, output="CSV file")
    arguments = parser.parse_args(argv)
    sources = {name: Source(block, kind, Path(path)) for name, block, kind, path in arguments.task}
    wanted = wanted_scores(arguments.score, sources)
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")  # before mteb and datasets are imported
    use_threads(arguments.threads)
    logging.getLogger("transformers").setLevel(logging.ERROR)  # no warnings about removed layers
    tasks = {name: load_task(name, source) for name, source in sources.items()}
    folder = arguments.output.with_suffix("")
    scratch = folder.with_name(f".{folder.name}{UNFINISHED}")
    model = ScoredModel(arguments, wanted, scratch)
    rows = []
    try:
        for place, (name, scores) in enumerate(wanted.items(), start=1):
            log.info("%s: task %d of %d", name, place, len(wanted))
            rows += model.scores_on(*tasks.pop(name), sources[name], scores, folder / name)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    write_table(pd.concat(rows), arguments.output)


def wanted_scores(given: list[list[str]], sources: dict[str, Source]) -> dict[str, list[Wanted]]:
    """Return the scores to compute for every task, from the values of `--score`.

    Raises InputError if a pooling, layer, scaling or task is unknown.
    """
    found: dict[str, list[Wanted]] = {}
    for poolings, layers, scaling, *tasks in given:
        for pooling in poolings.split(","):
            if pooling not in POOLINGS:
                raise InputError(f"--score: tasks are not scored with '{pooling}'; expected: {', '.join(POOLINGS)}")
            for layer in layers.split(","):
                if not layer.isdecimal() or scaling not in SCALINGS:
                    expected = "layers joined by commas, then unit or raw"
                    raise InputError(f"--score {poolings} {layers} {scaling}: invalid; expected: {expected}")
                for task in tasks:
                    found.setdefault(task, []).append(Wanted(pooling, int(layer), scaling))
    if unknown := found.keys() ^ sources.keys():
        raise InputError(f"--score, --task: '{min(unknown)}' is not in both; expected: the same tasks")
    return found


class ScoredModel:
    """A model at a step, and its scores."""

    def __init__(self, arguments: Namespace, wanted: dict[str, list[Wanted]], scratch: Path) -> None:
        from selfembed.embeddings import precision
        from selfembed.models import own_modules

        self.arguments = arguments
        self.wanted = list(dict.fromkeys(score for scores in wanted.values() for score in scores))
        self.scratch = scratch
        self.diverged = divergence.of_model(arguments.model)
        self.loaded: dict[bool, benchmark.ModelVectors] = {}
        self.device = choose_device(arguments.device)
        self.precision = precision.available(arguments.precision, self.device)
        # Checksums of the encoder's weights and, for pooling `own`, of all modules.
        self.weights: dict[bool, str | None] = {}
        for own in {score.pooling == "own" for score in self.wanted}:
            found = own_modules.checksum if own else lambda folder: checksum(folder / "model.safetensors")
            self.weights[own] = None if self.diverged else found(arguments.model)
        if self.diverged:
            step = self.diverged["diverged"]["step"]
            log.warning("%s: the run diverged at step %d: no scores", arguments.path, step)

    def vectors(self, own: bool) -> "benchmark.ModelVectors":
        """Return the vectors of pooling `own`, or of the others; load the model at the first call."""
        from selfembed.tasks import benchmark

        if own not in self.loaded:
            scores = [score for score in self.wanted if (score.pooling == "own") == own]
            self.loaded[own] = benchmark.load(
                self.arguments.model,
                list(dict.fromkeys(score.pooling for score in scores)),
                sorted({score.layer for score in scores}),
                self.arguments.max_length,
                self.scratch / str(own),
                self.device,
                self.precision,
            )
        return self.loaded[own]

    def scores_on(
        self, task: "AbsTask", data: str, source: Source, scores: list[Wanted], folder: Path
    ) -> list[pd.DataFrame]:
        """Return the rows of the scores on a task; compute those that are not in its folder or no longer valid."""
        rows = []
        computed = {"block": source.block, "device": self.device, "threads": self.arguments.threads}
        classes: dict[str, float] = {}
        for score in scores:
            settings = {
                "normalise": SCALINGS[score.scaling],
                "main_score": task.metadata.main_score,
                "precision": self.precision,
                "data": data,
            } | {name: installed_version(name) for name in PACKAGES}
            facts = computed | {"weights": self.weights[score.pooling == "own"], "code": code_checksum()}
            if not is_finished(score, folder, facts | settings):
                if source.kind == "classification" and not classes:
                    classes = {"largest_class": largest_class(task)}
                self.write(score, task, folder, facts | classes, settings)
            rows.append(pd.read_csv(score.file(folder, ".csv"), dtype=str))  # to the last digit
        for vectors in self.loaded.values():
            if vectors.texts.size > MOST_BYTES:
                vectors.texts.clear()
        return rows

    def write(self, score: Wanted, task: "AbsTask", folder: Path, facts: dict, settings: dict) -> None:
        """Compute a score and write its row and its result to the folder of the task.

        Args:
            facts: about the score, for its provenance.
            settings: for its provenance and its row.
        """
        name = task.metadata.name
        result, value, max_length, last_layer = self.result(score, task)
        identity = {**model_paths.identity(self.arguments.path), "step": self.arguments.step}
        place = {"layer": score.layer, "pooling": score.pooling}
        settings = {"max_length": max_length, **settings}
        row = {
            "corpus": name,
            "block": facts["block"],
            **identity,
            "last_layer": last_layer,
            **place,
            "score": "mteb",
            "settings": " ".join(f"{key}={value}" for key, value in settings.items()),
            "value": value,
        }
        log.info("%s, %s, layer %d: %.4f", name, score.pooling, score.layer, value)
        told = {"model": self.arguments.path, "step": self.arguments.step, **place, **facts, **settings}
        write_table(pd.DataFrame([row], columns=SCORE_COLUMNS), score.file(folder, ".csv"))
        write_json(result | {"selfembed": provenance(**told)}, score.file(folder, ".json"))

    def result(self, score: Wanted, task: "AbsTask") -> tuple[dict, float, int, int]:
        """Return mteb's result of a score, its value, the maximum length and the last layer of the model."""
        from selfembed.models import checkpoints
        from selfembed.tasks import benchmark

        asked = self.arguments.max_length
        if self.diverged:
            max_length = min(asked, self.diverged["longest_input"] or asked)
            found = {"task_name": task.metadata.name, "diverged": self.diverged["diverged"]}
            return found, math.nan, max_length, self.diverged["last_layer"]
        vectors = self.vectors(score.pooling == "own")
        result = benchmark.evaluate(vectors, task, score.pooling, score.layer, SCALINGS[score.scaling])
        last_layer = checkpoints.last_layer(self.arguments.model)
        return result.model_dump(mode="json") | TIMELESS, result.get_score(), vectors.max_length, last_layer


def is_finished(score: Wanted, folder: Path, facts: dict) -> bool:
    """Return whether the files of a score exist and have the same facts in their provenance."""
    row, result = (score.file(folder, suffix) for suffix in (".csv", ".json"))
    if not row.is_file() or not result.is_file():
        return False
    try:
        seals.check(row)
        seals.check(result)
        known = read_json(result, "selfembed")["selfembed"]
    except InputError:
        return False
    return known.items() >= facts.items()


def largest_class(task: "AbsTask") -> float:
    """Return the accuracy of always predicting the largest class of a classification task."""
    train, test = (np.array(task.dataset[part]["label"]) for part in ("train", "test"))
    return float(class_balance.always_largest(train, test, task.metadata.name).mean())


def load_task(name: str, source: Source) -> tuple["AbsTask", str]:
    """Return a task and the checksum of its data.

    Raises InputError if its data are missing, damaged or not those of such a task.
    """
    from selfembed.tasks import local_tasks, registry_tasks, tasks_from_corpus, tasks_from_files
    from selfembed.texts.corpora import read_corpus

    if source.kind == REGISTRY:
        found = registry_tasks.load(name, source.path)
        seals.taken(source.path)
        return found
    if source.kind not in task_files.FILES:
        expected = ", ".join([REGISTRY, *task_files.FILES])
        raise InputError(f"--task {name}: '{source.kind}' is not a kind of task; expected: {expected}")
    with reword_errors(f"task '{name}'", InputError):
        if not source.path.exists():
            raise InputError(f"{source.path} does not exist; expected: a prepared corpus or a folder with files")
        path = seals.opened(source.path)
        if path.is_dir():
            data = tasks_from_files.read(source.kind, path)
            files = [task_files.find(path, file) for file in task_files.FILES[source.kind]]
            found = checksum_of_files(path, files)
        else:
            data = tasks_from_corpus.make(source.kind, read_corpus(path))
            found = checksum(path)
    return local_tasks.local_task(name, source.kind, data, found), found


if __name__ == "__main__":
    command_line.run(main)
