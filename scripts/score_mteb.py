"""Score one model, cut at a layer, on one task with mteb.

The data are a downloaded task of mteb's registry, a labelled corpus, or files. Writes one tidy score row (CSV), and
mteb's result with the additional key `selfembed`, its provenance (JSON). The value is missing if the run diverged.
"""

import logging
import math
import os
from pathlib import Path

import numpy as np
import pandas as pd

from selfembed.errors import InputError
from selfembed.jobs import command_line, model_paths, options, seals
from selfembed.jobs.command_line import at_least, existing, log
from selfembed.jobs.devices import choose_device, use_threads
from selfembed.jobs.packages import installed_version
from selfembed.jobs.records import checksum, checksum_of_files, provenance, write_json, write_table
from selfembed.scores import class_balance
from selfembed.scores.tables import SCORE_COLUMNS
from selfembed.settings.figures import ScoreFigure
from selfembed.settings.schema import Settings
from selfembed.settings.scores import Mteb, Threads
from selfembed.tasks import task_files
from selfembed.training import divergence

PRECISION = "fp32"
# Removed from mteb's result, so that equal models give equal bytes.
TIMELESS = {"evaluation_time": None, "date": None, "evaluation_phases": None}
# Packages whose versions can change a score.
PACKAGES = ("mteb", "datasets", "sentence-transformers", "transformers", "torch")


def main(argv: list[str]) -> None:
    """Run the step with command-line arguments."""
    parser = command_line.parser(__doc__)
    command_line.add_inputs(parser, model="model folder at a step")
    parser.add_argument("--path", required=True, help="model path, for instance tuned/iclr/mpnet/crops/seed-42")
    parser.add_argument("--step", required=True, help="step of the model")
    parser.add_argument("--layer", type=at_least(0), required=True, help="last layer to keep")
    parser.add_argument("--task", required=True, help="name of the task")
    parser.add_argument("--block", required=True, help="block of the task")
    data = parser.add_mutually_exclusive_group(required=True)
    data.add_argument("--data", type=Path, help="folder of a downloaded task of mteb's registry")
    data.add_argument("--corpus", type=existing, help="prepared corpus (Parquet) to make a task from")
    data.add_argument("--files", type=existing, help="folder with files of a task, in MTEB's columns")
    parser.add_argument("--kind", choices=task_files.FILES, help="kind of a task from a corpus or from files")
    options.add(parser, ScoreFigure, keep=("pooling",))
    options.add(parser, Mteb)
    options.add(parser, Settings, keep=("device",))
    options.add(parser, Threads, keep=("embed",), names={"embed": "threads"})
    command_line.add_outputs(parser, output="CSV file", result="JSON file")
    arguments = parser.parse_args(argv)
    if arguments.pooling == "token7":
        raise InputError("--pooling: tasks are not scored with 'token7'; expected: mean, cls, last, own")
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")  # before mteb and datasets are imported
    from selfembed.models import checkpoints, own_modules
    from selfembed.tasks import benchmark, registry_tasks

    use_threads(arguments.threads)
    logging.getLogger("transformers").setLevel(logging.ERROR)  # no warnings about removed layers
    if arguments.data:
        task, data_checksum = registry_tasks.load(arguments.task, arguments.data)
        seals.taken(arguments.data)
    else:
        task, data_checksum = local_task(arguments)
    if diverged := divergence.of_model(arguments.model):
        log.warning("%s: the run diverged at step %d: no score", arguments.path, diverged["diverged"]["step"])
        last_layer, weights, value = diverged["last_layer"], None, math.nan
        max_length = min(arguments.max_length, diverged["longest_input"] or arguments.max_length)
        found = {"task_name": arguments.task, "diverged": diverged["diverged"]}
    else:
        last_layer = checkpoints.last_layer(arguments.model)
        own = arguments.pooling == "own"
        weights = own_modules.checksum(arguments.model) if own else checksum(arguments.model / "model.safetensors")
        name = f"{arguments.path}/{arguments.step}/{arguments.pooling}_{arguments.layer}".replace("/", "__")
        cut = (arguments.layer, arguments.pooling, arguments.max_length, arguments.normalise)
        model = benchmark.model_at(arguments.model, *cut, f"selfembed/{name}", weights)
        result = benchmark.evaluate(model.to(choose_device(arguments.device)), task)
        value, max_length = float(result.get_score()), model.max_seq_length
        found = result.model_dump(mode="json") | TIMELESS
    settings = {
        "max_length": max_length,
        "normalise": arguments.normalise,
        "main_score": task.metadata.main_score,
        "precision": PRECISION,
        "data": data_checksum,
    } | {name: installed_version(name) for name in PACKAGES}
    row = {
        "corpus": arguments.task,
        "block": arguments.block,
        **model_paths.identity(arguments.path),
        "step": arguments.step,
        "layer": arguments.layer,
        "last_layer": last_layer,
        "pooling": arguments.pooling,
        "score": "mteb",
        "settings": " ".join(f"{key}={value}" for key, value in settings.items()),
        "value": value,
    }
    log.info("%s, layer %d: %.4f", arguments.task, arguments.layer, value)
    facts = {"model": arguments.path, **{key: row[key] for key in ("step", "layer", "pooling")}, "weights": weights}
    if arguments.kind == "classification":
        train, test = (np.array(task.dataset[part]["label"]) for part in ("train", "test"))
        facts["largest_class"] = float(class_balance.always_largest(train, test, arguments.task).mean())
    write_json(found | {"selfembed": provenance(**facts, **settings)}, arguments.result)
    write_table(pd.DataFrame([row], columns=SCORE_COLUMNS), arguments.output)


def local_task(arguments):
    """Return a task made from a corpus or from files, and the checksum of its data."""
    from selfembed.tasks import local_tasks, tasks_from_corpus, tasks_from_files
    from selfembed.texts.corpora import read_corpus

    if arguments.kind is None:
        raise InputError(f"--kind: missing; expected with --corpus or --files: {', '.join(task_files.FILES)}")
    try:
        if arguments.corpus:
            data = tasks_from_corpus.make(arguments.kind, read_corpus(arguments.corpus))
            found = checksum(arguments.corpus)
        else:
            data = tasks_from_files.read(arguments.kind, arguments.files)
            files = [task_files.find(arguments.files, name) for name in task_files.FILES[arguments.kind]]
            found = checksum_of_files(arguments.files, files)
    except InputError as error:
        raise InputError(f"task '{arguments.task}': {error}") from error
    return local_tasks.local_task(arguments.task, arguments.kind, data, found), found


if __name__ == "__main__":
    command_line.run(main)
