"""How fast mteb evaluates vectors on the machine it runs on, without embedding: synthetic vectors of real sizes.

mteb runs whole tasks with a model that looks vectors up, on one thread: jobs run side by side. Kinds of tasks take
turns, and the medians of processor seconds count, so that other programs on the machine matter little. A rate is that
of as many jobs as `--cores`. Replaces the rows of its machine and its kinds of work in
`scripts/selfembed/costs/rates.csv`.
"""

import logging
import os
import statistics
import time
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1")

import datasets
import measure
import mteb
import numpy as np
import pandas as pd
import torch
from datasets import Dataset
from mteb.models.abs_encoder import AbsEncoder
from rates import DIM, TABLE, Rate, clusters, update
from threadpoolctl import threadpool_limits

from selfembed.costs.sizes import EXPERIMENTS, TEXTS_PER_CLASS
from selfembed.tasks import benchmark, local_tasks, task_data


class Lookup(AbsEncoder):
    """A model of mteb's protocol whose texts are the numbers of rows of vectors, float32 (texts × dim)."""

    def __init__(self, vectors: np.ndarray) -> None:
        self.vectors = vectors
        self.mteb_model_meta = mteb.models.ModelMeta.create_empty({"name": "selfembed/lookup", "revision": "1"})

    def encode(self, inputs, **_) -> np.ndarray:
        """Rows of the vectors."""
        return self.vectors[[int(text.split()[-1]) for batch in inputs for text in batch["text"]]]


class Case(NamedTuple):
    """A task to be evaluated: its work and unit, what it is, its vectors."""

    work: float
    unit: str
    how: str
    task: str
    data: dict
    vectors: np.ndarray


def cases(arguments: Namespace) -> Iterator[tuple[str, Case]]:
    """Every kind of evaluation, by name."""
    n_texts, classes = arguments.clustered
    vectors, labels = clusters(n_texts, classes)
    data = {"test": Dataset.from_dict({"sentences": [names(n_texts)], "labels": [labels.tolist()]})}
    unit = "texts × classes × dimensions per second"
    how = f"a set of {n_texts} texts × {DIM}, {classes} classes"
    yield "mteb clustering", Case(n_texts * classes * DIM, unit, how, "clustering", data, vectors)

    n_texts, classes = arguments.classified
    work = EXPERIMENTS * TEXTS_PER_CLASS * classes**2 * DIM
    unit, how = (
        "training texts × classes × dimensions per second",
        f"{EXPERIMENTS} × {TEXTS_PER_CLASS} texts × {DIM} for each of {classes} classes, {n_texts} test texts",
    )
    yield "mteb classification", Case(work, unit, how, "classification", *classified(n_texts, classes))

    n_texts, classes = arguments.predicted
    unit, how = "predicted texts per second", f"{EXPERIMENTS} × {n_texts} test texts × {DIM}, {classes} classes"
    yield "mteb prediction", Case(EXPERIMENTS * n_texts, unit, how, "classification", *classified(n_texts, classes))

    queries, documents = arguments.ranked
    unit, how = "queries × documents × dimensions per second", f"{queries} queries × {documents} documents × {DIM}"
    data, vectors = searched(queries, documents, None)
    yield "mteb retrieval", Case(queries * documents * DIM, unit, how, "retrieval", data, vectors)

    queries, candidates = arguments.reranked
    data, vectors = searched(queries, 5000, candidates)
    how = f"{queries} queries × {candidates} candidates × {DIM}"
    yield (
        "mteb reranking",
        Case(queries * candidates, "queries × candidates per second", how, "reranking", data, vectors),
    )


def names(n_texts: int, first: int = 0) -> list[str]:
    """Texts that say which row is theirs."""
    return [f"text {row}" for row in range(first, first + n_texts)]


def classified(n_texts: int, classes: int) -> tuple[dict, np.ndarray]:
    """Data of a classification task, with 16 training texts of each class, and vectors."""
    vectors, labels = clusters(n_texts + 16 * classes, classes)
    labels[n_texts:] = np.tile(np.arange(classes), 16)
    table = pd.DataFrame({"text": names(len(labels)), "label": labels})
    return task_data.classification(table.iloc[n_texts:], table.iloc[:n_texts]), vectors


def searched(queries: int, documents: int, candidates: int | None) -> tuple[dict, np.ndarray]:
    """Data of a retrieval task or, with a number of candidates, of a reranking task, and vectors."""
    generator = np.random.default_rng(0)
    vectors = generator.normal(size=(documents + queries, DIM)).astype(np.float32)
    corpus = pd.DataFrame({"id": [f"d{row}" for row in range(documents)], "text": names(documents), "title": ""})
    asked = pd.DataFrame({"id": [f"q{row}" for row in range(queries)], "text": names(queries, documents)})
    relevant = {f"q{row}": {f"d{row % documents}": 1} for row in range(queries)}
    ranked = None
    if candidates:
        drawn = generator.integers(documents, size=(queries, candidates))
        ranked = {
            f"q{row}": [f"d{row % documents}", *(f"d{place}" for place in set(drawn[row].tolist()) - {row % documents})]
            for row in range(queries)
        }
    return task_data.retrieval(corpus, asked, relevant, ranked), vectors


def main() -> None:
    """Measure all kinds of evaluation and write their rows."""
    parser = measure.parser(__doc__, rounds=3, threads=None)
    parser.add_argument("--cores", type=int, default=2, help="cores of the machine of the rows")
    parser.add_argument("--machine", default="2 cores", help='name of the rows, such as "2 cores"')
    shapes = {
        "clustered": ((23_000, 120), "texts and classes of a clustering task"),
        "classified": ((300, 77), "test texts and classes of a classification task with many classes"),
        "predicted": ((2000, 2), "test texts and classes of a classification task with many texts"),
        "ranked": ((500, 25_000), "queries and documents of a retrieval task"),
        "reranked": ((5000, 41), "queries and candidates of a reranking task"),
    }
    for name, (shape, what) in shapes.items():
        parser.add_argument(f"--{name}", type=int, nargs=2, default=shape, help=what)
    parser.add_argument("--table", type=Path, default=TABLE, help="CSV file to update")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    logging.getLogger("mteb").setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    found = dict(cases(arguments))
    seconds: dict[str, list[float]] = {name: [] for name in found}
    with threadpool_limits(1):
        for number, name in measure.in_turns(list(found), arguments.rounds + 1):
            task = local_tasks.local_task(name.title().replace(" ", ""), found[name].task, found[name].data, "1")
            started = time.process_time()
            score = benchmark.run(Lookup(found[name].vectors), task).get_score()
            taken = time.process_time() - started
            print(f"{name}: {taken:.3g} s of a processor, score {score:.3f}", flush=True)
            if number:
                seconds[name].append(taken)
    rows = []
    for name, case in found.items():
        value = arguments.cores * case.work / statistics.median(seconds[name])
        rate = Rate(name, "–", value, case.unit, f"{case.how}; processor seconds × {arguments.cores}")
        print(f"{name}: {rate.value:.4g} {rate.unit} ({rate.how})", flush=True)
        rows.append({"machine": arguments.machine, **rate._asdict()})
    update(rows, 1, arguments.table)


if __name__ == "__main__":
    main()
