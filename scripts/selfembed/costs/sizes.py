"""Sizes of corpora, MTEB tasks and encoders, before anything is downloaded where they are known.

The corpora of the paper are in `sizes.csv`, packs in `packs.csv` (made by `bench/packs.py`). Tasks of MTEB's registry
are read from the descriptive statistics that the installed package mteb contains.
"""

import csv
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from selfembed.settings.corpora import CropsSource, FileSource, PairsSource, RelabelledSource, SampleSource
from selfembed.settings.encoders import (
    BagOfWords,
    BesideWordCounts,
    EmbeddingsOnly,
    FolderEncoder,
    HubEncoder,
    PackageEncoder,
    RandomEncoder,
    SvdEncoder,
)
from selfembed.settings.schema import Settings
from selfembed.settings.scores import LocalTask

Amounts = dict[str, float]  # by kind of work, in the units of `rates.csv`

# Measured with the tokenizer of all-MiniLM-L6-v2 on 4,443 abstracts of ICLR (bench/packs.py).
CHARACTERS_PER_TOKEN = 5.13
SPECIAL_TOKENS = 2
SENTENCES = 2  # in a pack, where `sizes.csv` counts the pairs

# Of a corpus whose texts cannot be looked at yet: as in ICLR.
CHARACTERS = 1248
TITLE_CHARACTERS = 64  # of 4,443 titles of ICLR
PART_WITH_PAIR = 23552 / 24347

# The width of pretrained encoders by their number of layers (BERT's), and BERT's vocabulary and positions.
WIDTHS = {12: 768, 24: 1024}
WIDTH = 768
VOCABULARY = 30_522
POSITIONS = 512
FEATURES = 100_000  # terms of TF-IDF: a sparse matrix has no other dimension

# mteb trains each classifier this many times, on this many texts per class (its defaults; a few tasks have more texts).
EXPERIMENTS, TEXTS_PER_CLASS = 10, 8
# Counted by pairs of query and candidate, and by texts: Python's own work; other evaluations for each dimension.
RERANKING, PREDICTION = "mteb reranking", "mteb prediction"
# Queries or pairs, and candidates, of a task that is made from a corpus (`tasks.tasks_from_corpus`).
LARGEST_LOCAL, LOCAL_CANDIDATES = 1000, 10


@dataclass(frozen=True)
class Corpus:
    """Size of a corpus; `characters` of a text on average, `pairs` of packs of two sentences in an epoch."""

    texts: int
    labelled: int
    classes: int
    characters: float
    pairs: float


@dataclass(frozen=True)
class Task:
    """Size of an MTEB task.

    Attributes:
        texts: texts that mteb asks a model to embed, with repetitions.
        different: different ones among them. Counted for each column (queries and documents, first and second
            sentences), so a text in two columns counts twice.
        characters: of a text on average.
        evaluation: mteb's own work for one layer, pooling and scaling: for each dimension of a vector, or in all
            (RERANKING, PREDICTION).
    """

    texts: int
    different: int
    characters: float
    evaluation: Amounts = field(default_factory=dict)


@dataclass(frozen=True)
class Shape:
    """Layers, width and vocabulary of an encoder; without layers, whether it has positions."""

    layers: int
    width: int
    vocabulary: int = VOCABULARY
    positions: int = POSITIONS


@dataclass(frozen=True)
class Sizes:
    """All that is known about texts; corpora and tasks of unknown size are missing."""

    corpora: dict[str, Corpus]
    tasks: dict[str, Task]
    packs: dict[int, tuple[float, float]]  # part of the texts with a pair and tokens of a pack, by sentences


def rows(name: str) -> list[dict[str, str]]:
    """A table beside this module."""
    with open(Path(__file__).with_name(name), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def read_packs() -> dict[int, tuple[float, float]]:
    """Part of the texts with a pair and tokens of a pack, by number of sentences."""
    return {int(row["sentences"]): (float(row["part"]), float(row["tokens"])) for row in rows("packs.csv")}


def of(settings: Settings, results: Path | None = None) -> Sizes:
    """Sizes of a config's corpora and tasks.

    Args:
        results: folder with results, where corpora that have been made are looked at.
    """
    corpora = {name: found for name in settings.corpora if (found := corpus_size(name, settings, results))}
    tasks = {
        name: found
        for name, task in settings.tasks.items()
        if (found := local_task(task, corpora) if isinstance(task, LocalTask) else registry_task(name))
    }
    return Sizes(corpora, tasks, read_packs())


def corpus_size(name: str, settings: Settings, results: Path | None = None) -> Corpus | None:
    """Size of a corpus: as made, as in the paper, derived from another corpus, as expected, or as in its file.

    The paper's sizes are used where the config expects as many texts. None if the size is unknown.
    """
    corpus = settings.corpora[name]
    source, expect = corpus.source, corpus.expect
    if results and (made := made_corpus(results / "corpora" / f"{name}.parquet")):
        return made
    for row in rows("sizes.csv"):
        if row["corpus"] == name and expect and expect.rows == int(row["texts"]):
            counts = (int(row[key]) for key in ("texts", "labelled", "classes"))
            return Corpus(*counts, float(row["characters"]), float(row["pairs"]))
    if isinstance(source, RelabelledSource | SampleSource | PairsSource):
        return derived_corpus(source, corpus_size(source.corpus, settings, results))
    if expect and expect.rows:
        labelled = expect.rows if expect.labelled is None else expect.labelled
        return Corpus(expect.rows, labelled, expect.classes or 1, CHARACTERS, PART_WITH_PAIR * expect.rows)
    return raw_file(Path(source.path), source.labelled) if isinstance(source, FileSource) else None


def derived_corpus(source: RelabelledSource | SampleSource | PairsSource, whole: Corpus | None) -> Corpus | None:
    """Size of a corpus that is made of another one; of a sample, also if the other one is unknown."""
    if isinstance(source, SampleSource) and whole is None:
        return Corpus(source.size, source.size, 1, CHARACTERS, PART_WITH_PAIR * source.size)
    if isinstance(source, RelabelledSource) or whole is None:
        return whole
    if isinstance(source, SampleSource):
        part = min(1, source.size / whole.texts)
        counts = (round(part * number) for number in (whole.texts, whole.labelled))
        return Corpus(*counts, whole.classes, whole.characters, part * whole.pairs)
    held_out = round(whole.texts * (source.held_out or 1))
    texts = min(held_out, source.size or held_out)
    if not isinstance(source, CropsSource):  # titles and texts
        return Corpus(2 * texts, 0, 0, (TITLE_CHARACTERS + whole.characters) / 2, texts)
    packs = read_packs()
    _, tokens = packs[min(source.sentences, max(packs))]
    return Corpus(2 * texts, 0, 0, tokens * CHARACTERS_PER_TOKEN, texts)


def raw_file(path: Path, labelled: bool) -> Corpus | None:
    """Size of a corpus from its raw file, in which each line is a text; None if it has no lines or does not exist."""
    if path.suffix.lower() not in (".csv", ".tsv", ".jsonl") or not path.is_file():
        return None
    with open(path, "rb") as file:
        texts = max(1, sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b"")))
    return Corpus(texts, texts * labelled, 1, path.stat().st_size / texts, PART_WITH_PAIR * texts)


def made_corpus(path: Path) -> Corpus | None:
    """Size of a corpus that has been made, from the metadata and labels of its file; None if it cannot be read."""
    import pyarrow.parquet

    try:
        found = pyarrow.parquet.read_metadata(path)
        labels = pyarrow.parquet.read_table(path, columns=["label"])["label"].drop_null()
    except (OSError, ValueError):
        return None
    groups = [found.row_group(number) for number in range(found.num_row_groups)]
    columns = [group.column(place) for group in groups for place in range(found.num_columns)]
    stored = sum(column.total_uncompressed_size for column in columns if column.path_in_schema == "text")
    texts = found.num_rows
    return Corpus(texts, len(labels), len(labels.unique()), stored / max(1, texts), PART_WITH_PAIR * texts)


def registry_task(name: str) -> Task | None:
    """Size of a task of MTEB's registry: English part, test split; None if mteb has no statistics of it."""
    path = statistics_files().get(name)
    if path is None:
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    test, train = (english(found[split]) if split in found else {} for split in ("test", "train"))
    return Task(*embedded(test, train), evaluation(path.parent.name, test)) if test else None


@cache
def statistics_files() -> dict[str, Path]:
    """The files with descriptive statistics in the installed package mteb, by task; does not import it."""
    spec = find_spec("mteb")
    folders = spec.submodule_search_locations if spec else []
    return {path.stem: path for folder in folders or [] for path in Path(folder, "descriptive_stats").glob("*/*.json")}


def english(split: dict[str, Any]) -> dict[str, Any]:
    """The English part of the statistics of a split; the split itself, if the task has no other language."""
    subsets = split.get("hf_subset_descriptive_stats") or {}
    return next((subsets[name] for name in ("en", "eng", "default") if name in subsets), {} if subsets else split)


def embedded(test: dict[str, Any], train: dict[str, Any]) -> tuple[int, int, float]:
    """Texts that a model embeds, different ones, and characters of a text."""
    parts = columns(test)
    texts, different = sum(map(number, parts.values())), sum(part["unique_texts"] for part in parts.values())
    characters = sum(part["total_text_length"] for part in parts.values()) / texts
    if train:
        classes = train["label_statistics"]["unique_labels"] if train.get("label_statistics") else 0
        used = min(EXPERIMENTS * TEXTS_PER_CLASS * classes, train["num_samples"])
        texts, different = texts + used, different + used
    return texts, different, characters


def columns(test: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Statistics of the texts of each column."""
    endings = ("text_statistics", "text1_statistics", "text2_statistics")
    return {key: part for key, part in test.items() if part and key.endswith(endings)}


def number(column: dict[str, Any]) -> int:
    """Number of texts of a column; not every task has it as a field."""
    return round(column["total_text_length"] / column["average_text_length"])


def evaluation(kind: str, test: dict[str, Any]) -> Amounts:
    """Work of mteb on vectors, for each dimension; reranking for each pair of a query and a candidate."""
    labels = (test.get("label_statistics") or {}).get("unique_labels", 0)
    match kind:
        case "Clustering":
            return {"mteb clustering": test["num_samples"] * labels}
        case "Classification":
            return classified(test["num_samples"], labels)
        case "Retrieval":
            return {"mteb retrieval": math.prod(map(number, columns(test).values()))}
        case "Reranking":
            return {RERANKING: test["top_ranked_statistics"]["num_top_ranked"]}
    return {}


def classified(texts: int, classes: int) -> Amounts:
    """Work of mteb for a classification task, for each dimension."""
    return {
        "mteb classification": EXPERIMENTS * TEXTS_PER_CLASS * classes**2,
        PREDICTION: EXPERIMENTS * texts,
    }


def local_task(task: LocalTask, corpora: dict[str, Corpus]) -> Task | None:
    """Size of a task that is made from a corpus; None for files and for corpora of unknown size."""
    corpus = corpora.get(task.corpus or "")
    if corpus is None:
        return None
    texts, classes = corpus.labelled or corpus.texts, corpus.classes
    queries = min(LARGEST_LOCAL, texts)
    match task.type:
        case "clustering":
            read, work = texts, {"mteb clustering": texts * classes}
        case "classification":
            read, work = texts, classified(texts // 2, classes)
        case "retrieval":
            read, work = texts + queries, {"mteb retrieval": queries * texts}
        case "reranking":
            read, work = texts + queries, {RERANKING: queries * LOCAL_CANDIDATES}
        case _:
            read, work = 2 * queries, {}
    return Task(read, read, corpus.characters, work)


def shape(name: str, settings: Settings, results: Path | None = None) -> Shape:
    """Shape of an encoder: of its config.json where it is on this machine, otherwise BERT's with its layers."""
    encoder = settings.encoders[name]
    if isinstance(encoder, SvdEncoder):
        return Shape(0, encoder.components, 0, 0)
    if isinstance(encoder, BagOfWords):
        return Shape(0, FEATURES, 0, 0)
    if isinstance(encoder, BesideWordCounts):
        return shape(encoder.of, settings, results)
    if isinstance(encoder, EmbeddingsOnly):
        return replace(shape(encoder.of, settings, results), layers=0)
    if isinstance(encoder, RandomEncoder):
        return Shape(encoder.layers, encoder.architecture.hidden_size)
    for folder in folders(name, encoder, results):
        if (folder / "config.json").is_file():
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            width = config.get("hidden_size") or config.get("dim") or WIDTH
            positions = config.get("max_position_embeddings", POSITIONS)
            return Shape(encoder.layers, width, config.get("vocab_size", VOCABULARY), positions)
    return Shape(encoder.layers, WIDTHS.get(encoder.layers, WIDTH))


def folders(name: str, encoder: FolderEncoder | HubEncoder | PackageEncoder, results: Path | None) -> Iterator[Path]:
    """Where the files of a pretrained encoder may be on this machine."""
    if results:
        yield results / "encoders" / name
    if isinstance(encoder, FolderEncoder):
        yield Path(encoder.path)
    if isinstance(encoder, PackageEncoder) and (spec := find_spec(encoder.package)):
        yield from (Path(place, encoder.folder) for place in spec.submodule_search_locations or [])
