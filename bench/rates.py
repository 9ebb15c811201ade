"""How fast the machine it runs on does every kind of work of the workflow, by the workflow's own functions.

Replaces the rows of its machine and its kinds of work in `scripts/selfembed/costs/rates.csv`. Encoders have the
shape of MPNet (12 layers, 768 wide) and random weights: the numbers in them do not change the speed.
"""

import logging
import statistics
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

import measure
import numpy as np
import pandas as pd
import texts
import torch
from sentence_transformers import SentenceTransformer
from threadpoolctl import threadpool_limits
from transformers import AutoTokenizer, MPNetConfig, MPNetModel

from selfembed.embeddings import bags_of_words, embedding
from selfembed.jobs.options import defaults
from selfembed.maps import tsne
from selfembed.models import encoders
from selfembed.scores import neighbors, probes
from selfembed.settings.recipes import Masked, Recipe
from selfembed.settings.scores import Tsne
from selfembed.training import training

TRAINED = defaults(Recipe, "temperature", "learning_rate", "batch_size", "warmup", "precision") | defaults(Masked)

TABLE = Path(__file__).parents[1] / "scripts" / "selfembed" / "costs" / "rates.csv"
MAX_LENGTH = 512
BATCH = 64
DIM = 768


class Rate(NamedTuple):
    """One measurement: units of work per second, and what was measured."""

    work: str
    precision: str
    value: float
    unit: str
    how: str


def main() -> None:
    """Measure the wanted kinds of work and write their rows."""
    parser = measure.parser(__doc__, rounds=3)
    texts.add_arguments(parser, 3000)
    parser.add_argument("--machine", required=True, help='name of the rows, such as "2 cores"')
    parser.add_argument("--device", default="cpu", help="cpu or cuda, of encoders")
    parser.add_argument("--work", nargs="+", choices=list(WORK), default=list(WORK), help="what to measure")
    parser.add_argument("--steps", type=int, default=1, help="optimiser steps of a fine-tuning, of 64 pairs each")
    parser.add_argument(
        "--embedded", type=int, default=64, help="texts to embed, spread evenly over the lengths of all"
    )
    parser.add_argument("--searched", type=int, default=50_000, help="texts of a kNN search; a tenth is tested")
    parser.add_argument("--probed", type=int, default=4000, help="texts of a linear probe; a tenth is tested")
    parser.add_argument("--mapped", type=int, default=20_000, help="texts of a t-SNE map")
    parser.add_argument("--counted", type=int, default=5000, help="texts of TF-IDF and SVD")
    parser.add_argument("--table", type=Path, default=TABLE, help="CSV file to update")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    rows = []
    with threadpool_limits(arguments.threads):
        for name in arguments.work:
            for rate in WORK[name](arguments):
                print(f"{rate.work}, {rate.precision}: {rate.value:.4g} {rate.unit} ({rate.how})", flush=True)
                rows.append({"machine": arguments.machine, **rate._asdict()})
    update(rows, arguments.threads, arguments.table)


def update(rows: list[dict], threads: int, path: Path) -> None:
    """Put rows into a CSV file in place of older ones of the same machine, work and precision."""
    table = pd.DataFrame(rows)
    table["value"] = table["value"].map("{:.4g}".format)
    table["how"] += f"; {threads} threads, {date.today()}"
    if path.exists():
        table = pd.concat([pd.read_csv(path, dtype=str), table])
    table.drop_duplicates(["machine", "work", "precision"], keep="last").to_csv(path, index=False)


def seconds(call: Callable[[], object], rounds: int) -> float:
    """Median of some calls."""
    found = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        found.append(since(started))
    return statistics.median(found)


def since(started: float) -> float:
    """Seconds since a time."""
    return time.perf_counter() - started


def mpnet() -> SentenceTransformer:
    """An encoder of MPNet's shape with random weights, the tokenizer of all-MiniLM-L6-v2, and mean pooling."""
    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(measure.minilm(), local_files_only=True)
    config = MPNetConfig(max_position_embeddings=MAX_LENGTH + 2)  # as in microsoft/mpnet-base
    return encoders.from_parts(MPNetModel(config), tokenizer, MAX_LENGTH)


class Measured(NamedTuple):
    """An encoder that is measured; a fast one with several times the work, so that the start does not count."""

    name: str
    model: SentenceTransformer
    precisions: list[str]
    times: int


def models(arguments: Namespace) -> Iterator[Measured]:
    """A whole encoder, and its embedding layer alone."""
    whole = mpnet()
    alone = encoders.embedding_layer(whole[0], MAX_LENGTH)
    yield Measured("", whole.to(arguments.device), ["fp32", "bf16"], 1)
    yield Measured(", embedding layer alone", alone.to(arguments.device), ["fp32"], 20)


def fine_tuning(arguments: Namespace) -> Iterator[Rate]:
    """Tokens per second of training on crops, of both texts of a pair."""
    everything = texts.crop_pairs(texts.read(arguments))
    for name, model, precisions, times in models(arguments):
        pairs = everything.head(arguments.steps * times * BATCH)
        tokens = sum(len(ids) for ids in model.tokenizer([*pairs["anchor"], *pairs["positive"]])["input_ids"])
        how = f"{len(pairs)} pairs in batches of {BATCH}, {tokens / 2 / len(pairs):.0f} tokens in a text"
        for precision in precisions:
            training.fine_tune(model, pairs.head(4), seed=42, **TRAINED | {"precision": precision})  # does not count
            started = time.perf_counter()
            training.fine_tune(model, pairs, seed=42, **TRAINED | {"precision": precision})
            yield Rate(f"fine-tuning{name}", precision, tokens / since(started), "tokens per second", how)


def embeddings(arguments: Namespace) -> Iterator[Rate]:
    """Tokens per second of embedding whole texts, mean pooling of the last layer."""
    everything = sorted(texts.read(arguments)["text"], key=len)
    for name, model, precisions, times in models(arguments):
        spread = np.linspace(0, len(everything) - 1, min(arguments.embedded * times, len(everything)))
        found = [everything[position] for position in spread.round().astype(int)]
        encoder = model[0]
        last = encoder.model.config.num_hidden_layers
        tokens = sum(len(row["input_ids"]) for row in embedding.tokenize(found, encoder, MAX_LENGTH))
        out = np.empty((1, 1, len(found), DIM), np.float32)
        how = f"{len(found)} texts, {tokens / len(found):.0f} tokens in a text"
        for precision in precisions:
            settings = {"max_length": MAX_LENGTH, "precision": precision}
            embedding.embed(encoder, found[:4], [last], ["mean"], out[:, :, :4], **settings)  # does not count
            started = time.perf_counter()
            embedding.embed(encoder, found, [last], ["mean"], out, **settings)
            yield Rate(f"embedding{name}", precision, tokens / since(started), "tokens per second", how)


def clusters(n_texts: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Vectors in overlapping clusters, float32 × 768, and their classes; linear probes get about half of them right."""
    generator = np.random.default_rng(0)
    labels = generator.integers(classes, size=n_texts)
    centres = generator.normal(scale=0.1, size=(classes, DIM))
    return (centres[labels] + generator.normal(size=(n_texts, DIM))).astype(np.float32), labels


def searched(vectors: neighbors.Vectors, labels: np.ndarray, cut: int) -> np.ndarray:
    """Labels that the first vectors get from their ten nearest neighbours among the others."""
    return neighbors.predict(vectors[cut:], labels[cut:], vectors[:cut], k=10, metric="euclidean")


def dense_knn(arguments: Namespace) -> Iterator[Rate]:
    """Test texts × training texts × dimensions per second."""
    vectors, labels = clusters(arguments.searched, 60)
    cut = arguments.searched // 10
    taken = seconds(lambda: searched(vectors, labels, cut), arguments.rounds)
    work = cut * (arguments.searched - cut) * DIM
    how = f"{arguments.searched} texts × {DIM}"
    yield Rate("kNN", "–", work / taken, "test × training texts × dimensions per second", how)


def sparse_knn(arguments: Namespace) -> Iterator[Rate]:
    """Test texts × training texts per second."""
    found = texts.many(arguments.searched)
    vectors, labels = (
        bags_of_words.embed(found["text"].tolist(), components=None, normalise=False, terms="words"),
        found["label"].to_numpy(),
    )
    cut = arguments.searched // 10
    taken = seconds(lambda: searched(vectors, labels, cut), arguments.rounds)
    work = cut * (arguments.searched - cut)
    how = f"{arguments.searched} texts, {vectors.nnz / len(found):.0f} words in a text"
    yield Rate("kNN of TF-IDF", "–", work / taken, "test × training texts per second", how)


def linear_probe(arguments: Namespace) -> Iterator[Rate]:
    """Training texts × dimensions × classes per second, all iterations together."""
    classes = 45  # of ICLR
    vectors, labels = clusters(arguments.probed, classes)
    cut = arguments.probed // 10
    right = []
    taken = seconds(
        lambda: right.append((probes.predict(vectors[cut:], labels[cut:], vectors[:cut]) == labels[:cut]).mean()), 1
    )
    work = (arguments.probed - cut) * DIM * classes
    how = f"{arguments.probed} texts × {DIM}, {classes} classes, {right[-1]:.0%} right"
    yield Rate("linear probe", "–", work / taken, "training texts × dimensions × classes per second", how)


def bags(arguments: Namespace) -> Iterator[Rate]:
    """Characters per second of TF-IDF, and of TF-IDF with its SVD."""
    found = texts.many(arguments.counted)["text"]
    characters, listed = found.str.len().sum(), found.tolist()
    how = f"{len(found)} texts, {characters / len(found):.0f} characters in a text"
    for name, components in {"TF-IDF": None, "SVD": 100}.items():
        taken = seconds(lambda: bags_of_words.embed(listed, components=components, normalise=False, terms="words"), 1)  # noqa: B023
        yield Rate(name, "–", characters / taken, "characters per second", how)


def map_layout(arguments: Namespace) -> Iterator[Rate]:
    """Texts per second."""
    vectors, _ = clusters(arguments.mapped, 60)
    taken = seconds(lambda: tsne.layout(vectors, **defaults(Tsne), threads=arguments.threads), 1)
    yield Rate("t-SNE", "–", arguments.mapped / taken, "texts per second", f"{arguments.mapped} texts × {DIM}")


def program_start(arguments: Namespace) -> Iterator[Rate]:
    """Jobs per second that do nothing but import what a job with an encoder needs."""
    scripts = Path(__file__).parents[1] / "scripts"
    program = [sys.executable, "-c", "from selfembed.tasks import benchmark; from selfembed.training import training"]
    taken = seconds(lambda: subprocess.run(program, cwd=scripts, check=True), arguments.rounds)
    yield Rate("program start", "–", 1 / taken, "jobs per second", "importing torch, sentence-transformers and mteb")


WORK: dict[str, Callable[[Namespace], Iterator[Rate]]] = {
    "fine-tuning": fine_tuning,
    "embedding": embeddings,
    "knn": dense_knn,
    "tfidf-knn": sparse_knn,
    "linear": linear_probe,
    "bags": bags,
    "tsne": map_layout,
    "start": program_start,
}

if __name__ == "__main__":
    main()
