"""MTEB scores: one job for each layer and task, as sentence-transformers' `encode` does it, against one pass a text.

Three comparisons on local tasks made from docstrings, with all-MiniLM-L6-v2: all layers and one layer, both without
program starts, and several steps of one model with program starts.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import measure
import mteb
import torch
from mteb.cache import ResultCache
from sentence_transformers.sentence_transformer.modules import Normalize
from transformers.utils import logging

from selfembed.models import encoders
from selfembed.tasks import benchmark, local_tasks, tasks_from_corpus
from selfembed.texts import corpora, python_docs

LAYERS = 6  # of all-MiniLM-L6-v2
MAX_LENGTH = 256
CLASSES = 10  # packages with the most docstrings
SCRIPT = Path(benchmark.__file__).parents[2] / "score_mteb.py"
KINDS = list(local_tasks.KINDS)


def made(kind: str, corpus: Path):
    """A task of a kind from a corpus."""
    return local_tasks.local_task("Own", kind, tasks_from_corpus.make(kind, corpora.read_corpus(corpus)), "0" * 64)


def old_job(kind: str, layer: int, corpus: Path) -> float:
    """A score by mteb with a sentence-transformers model that is truncated after a layer."""
    encoder = encoders.load(measure.minilm(), layers=min(layer + 1, LAYERS))
    if layer < LAYERS:
        encoder.modality_config["text"]["method_output_name"] = ["hidden_states", layer]
    model = encoders.assemble(encoder, "mean", MAX_LENGTH)
    model.append(Normalize())
    with tempfile.TemporaryDirectory() as cache:
        how = {"co2_tracker": False, "show_progress_bar": False}
        found = mteb.evaluate(model, made(kind, corpus), cache=ResultCache(cache), **how)
    return found.task_results[0].get_score()


def old_way(layers: list[int], corpus: Path) -> dict[tuple[str, int], float]:
    """The scores of every task and layer, one after the other."""
    return {(kind, layer): old_job(kind, layer, corpus) for kind in KINDS for layer in layers}


def new_way(layers: list[int], corpus: Path) -> dict[tuple[str, int], float]:
    """The same scores from one pass for every text."""
    with tempfile.TemporaryDirectory() as scratch:
        model = benchmark.load(measure.minilm(), ["mean"], layers, MAX_LENGTH, Path(scratch), "cpu", "fp32")
        return {
            (kind, layer): benchmark.evaluate(model, made(kind, corpus), "mean", layer, normalise=True).get_score()
            for kind in KINDS
            for layer in layers
        }


def old_program(corpus: Path, steps: int) -> None:
    """A program for every step and task."""
    for _ in range(steps):
        for kind in KINDS:
            subprocess.run([sys.executable, __file__, "--job", kind, str(corpus)], check=True, capture_output=True)


def new_program(corpus: Path, steps: int) -> None:
    """A program for every step."""
    for step in range(steps):
        with tempfile.TemporaryDirectory() as folder:
            words = ["--model", measure.minilm(), "--path", "base/minilm", "--step", step, "--device", "cpu"]
            for kind in KINDS:
                words += ["--task", kind.title(), "own", kind, corpus]
            words += ["--score", "mean", LAYERS, "unit", *map(str.title, KINDS), "--max-length", MAX_LENGTH]
            command = [sys.executable, SCRIPT, *words, "--output", f"{folder}/{MAX_LENGTH}.csv"]
            subprocess.run(list(map(str, command)), check=True, capture_output=True)


def main() -> None:
    """Run the three comparisons and print a table of each."""
    parser = measure.parser(__doc__, rounds=2)
    parser.add_argument("--texts", type=int, default=150, help="texts, docstrings of installed packages")
    parser.add_argument("--steps", type=int, default=6, help="steps of the third comparison")
    parser.add_argument("--job", nargs=2, metavar=("KIND", "CORPUS"), help="run one job of the old way and end")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    logging.set_verbosity_error()  # a truncated model has weights that are not loaded
    logging.disable_progress_bar()
    if arguments.job:
        old_job(arguments.job[0], LAYERS, Path(arguments.job[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder, "corpus.parquet")
        docs = python_docs.extract(["sympy", "scipy", "sklearn"]).rename(columns={"package": "label"})
        docs = docs[docs["text"].str.len() > 300].drop_duplicates("text")
        docs = docs[docs["label"].isin(docs["label"].value_counts().index[:CLASSES])]
        docs = docs.groupby("label").head(arguments.texts // CLASSES).reset_index(drop=True)
        docs.assign(id=docs.index.astype(str)).to_parquet(corpus)
        for name, layers in (("all layers", list(range(LAYERS + 1))), ("one layer", [LAYERS])):
            scores: dict[str, dict] = {}
            ways = {
                "one job a score": lambda scores=scores, layers=layers: scores.update(old=old_way(layers, corpus)),
                "one pass": lambda scores=scores, layers=layers: scores.update(new=new_way(layers, corpus)),
            }
            seconds = measure.alternate(ways, arguments.rounds)
            apart = max(abs(value - scores["new"][score]) for score, value in scores["old"].items())
            print(f"\n{name}: {len(scores['old'])} scores, largest difference {apart:.1g}", flush=True)
            print(measure.report(seconds, "one job a score"), flush=True)
        print(f"\n{arguments.steps} steps, with program starts", flush=True)
        ways = {"one job a score": lambda: old_program(corpus, arguments.steps)}
        ways["one job a step"] = lambda: new_program(corpus, arguments.steps)
        print(measure.report(measure.alternate(ways, 1, warm_up=0), "one job a score"), flush=True)


if __name__ == "__main__":
    main()
