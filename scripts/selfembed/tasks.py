"""MTEB tasks and models, brought together so that one score is one model's alone; the data of tasks on disk."""

import hashlib
import tempfile
from pathlib import Path

import datasets
import mteb
import numpy as np
from datasets import Dataset, DatasetDict
from mteb.abstasks.abstask import AbsTask
from mteb.cache import ResultCache
from mteb.results import TaskResult
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize

from selfembed import encoders
from selfembed.errors import InputError
from selfembed.records import checksum, provenance, read_json, write_json

SPLIT = "test"
FACTS_FILE = "task.json"
# Parts of a retrieval or reranking task that are no tables.
RELEVANCE = ("relevant_docs", "top_ranked")


def registry_task(name: str) -> AbsTask:
    """A fresh task of mteb's registry: its English part, its test split, at the registry's revision.

    Raises InputError if the registry has no such task, or the task no such part.
    """
    try:
        task = mteb.get_task(name, languages=["eng"], exclusive_language_filter=True, eval_splits=[SPLIT])
    except KeyError as error:
        raise InputError(f"mteb {mteb.__version__} has no task '{name}'") from error
    except ValueError as error:
        raise InputError(f"task '{name}' has no English part") from error
    if SPLIT not in task.metadata.eval_splits:
        raise InputError(f"task '{name}' has no split '{SPLIT}'; it has {', '.join(task.metadata.eval_splits)}")
    return task


def identity(task: AbsTask) -> dict:
    """What a registry task is made of."""
    return {
        "task": task.metadata.name,
        "dataset": dict(task.metadata.dataset),
        "subsets": list(task.hf_subsets),
        "splits": list(task.eval_splits),
    }


def save_registry_task(task: AbsTask, folder: Path) -> None:
    """Write the data of a task that mteb has loaded, and what they are, into an existing folder.

    The data are kept as mteb hands them to its evaluation, because Hugging Face's own cache cannot be trusted without
    network: it forgets which configurations a data set has, and a reranking task then ranks all texts.
    """
    save_data(task.dataset, folder / "data")
    versions = {"mteb": mteb.__version__, "datasets": datasets.__version__}
    write_json(provenance(**identity(task), **versions, data=data_checksum(folder / "data")), folder / FACTS_FILE)


def load_registry_task(name: str, folder: Path) -> tuple[AbsTask, str]:
    """A fresh task with the data that `save_registry_task` wrote, and their checksum; no network.

    Raises InputError with the command that fetches the data if they are missing, another task's, or damaged.
    """
    task = registry_task(name)
    advice = f"fetch them on a machine with network: python scripts/download_task.py --task {name} --output {folder}"
    if not (folder / FACTS_FILE).is_file():
        raise InputError(f"task '{name}': its data are not in {folder}; {advice}")
    facts = read_json(folder / FACTS_FILE)
    for key, wanted in identity(task).items():
        if facts.get(key) != wanted:
            raise InputError(f"task '{name}': {folder} holds {key} {facts.get(key)}, needed is {wanted}; {advice}")
    found = data_checksum(folder / "data")
    if found != facts["data"]:
        raise InputError(f"task '{name}': data in {folder} are not as downloaded (SHA-256 {found}); {advice}")
    datasets.disable_caching()  # it would write tables derived by mteb beside the data, for every job
    task.dataset = load_data(folder / "data")
    task.data_loaded = True
    return task, found


def save_data(data: dict, folder: Path) -> None:
    """Write tables and relevance judgements, nested by subset and split, as folders and files of the same names."""
    for name, part in data.items():
        if isinstance(part, Dataset):
            part.save_to_disk(folder / name)
        elif name in RELEVANCE:
            if part is not None:
                # mteb gives the queries in another order every time.
                write_json(dict(sorted(part.items())), folder / f"{name}.json")
        else:
            save_data(part, folder / name)


def load_data(folder: Path) -> dict:
    """What `save_data` wrote; relevance judgements that are not there are None."""
    data = {}
    for path in sorted(folder.iterdir()):
        if path.suffix == ".json":
            data[path.stem] = read_json(path)
        elif (path / "dataset_info.json").is_file():
            data[path.name] = datasets.load_from_disk(path)
        else:
            data[path.name] = load_data(path)
    if all(isinstance(part, Dataset) for part in data.values()):
        return DatasetDict(data)
    return dict.fromkeys(RELEVANCE) | data if "queries" in data else data


def data_checksum(folder: Path) -> str:
    """SHA-256 over names and checksums of tables and relevance judgements; other files hold times and fingerprints."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".arrow" or path.stem in RELEVANCE:
            digest.update(f"{path.relative_to(folder).as_posix()} {checksum(path)}\n".encode())
    return digest.hexdigest()


def model_at(
    folder: Path, layer: int, pooling: str, max_length: int, normalise: bool, name: str, checksum: str
) -> SentenceTransformer:
    """A saved model cut above a layer, for mteb: with a pooling, scaled to unit length or not, under a name of its own.

    Args:
        name, checksum: identify the model in mteb's results; models that share them would share scores.
    """
    encoder = encoders.load(folder, layers=layer)
    positions = getattr(encoder.model.config, "max_position_embeddings", max_length)
    model = encoders.assemble(encoder, pooling, min(max_length, positions))
    if normalise:
        model.append(Normalize())
    model.model_card_data.model_name = name
    model.model_card_data.base_model_revision = checksum
    return model


def evaluate(model: SentenceTransformer, task: AbsTask, batch_size: int = 32) -> TaskResult:
    """Score a model on a fresh task with mteb and a cache of its own; returns mteb's result of the task.

    Raises InputError if mteb gives no score.
    """
    with tempfile.TemporaryDirectory() as folder:
        results = mteb.evaluate(
            model,
            task,
            cache=ResultCache(folder),
            overwrite_strategy="always",
            encode_kwargs={"batch_size": batch_size},
            co2_tracker=False,
            show_progress_bar=False,
        )
    if not results.task_results:
        raise InputError(f"task '{task.metadata.name}': mteb gave no result")
    (result,) = results.task_results
    if not np.isfinite(result.get_score()):
        raise InputError(f"task '{task.metadata.name}': score is {result.get_score()}; are the model's vectors broken?")
    return result
