"""MTEB tasks and models, brought together so that one score is one model's alone."""

import tempfile
from pathlib import Path

import mteb
from mteb.abstasks.abstask import AbsTask
from mteb.cache import ResultCache
from mteb.results import TaskResult
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize

from selfembed import encoders
from selfembed.errors import InputError


def registry_task(name: str) -> AbsTask:
    """A fresh task of mteb's registry: its English part, its test split, at the registry's revision.

    Raises InputError if the registry has no such task.
    """
    try:
        multilingual = mteb.get_task(name).metadata.is_multilingual
        return mteb.get_task(name, hf_subsets=["en"] if multilingual else None, eval_splits=["test"])
    except KeyError as error:
        raise InputError(f"mteb {mteb.__version__} has no task '{name}'") from error


def load_registry_task(name: str) -> AbsTask:
    """A fresh task with its data, from the cache that `download_task` filled.

    Raises InputError with the command that fetches the data if they are not there.
    """
    task = registry_task(name)
    try:
        task.load_data()
    except (OSError, ValueError, ConnectionError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(
            f"task '{name}': its data cannot be loaded ({reason}); fetch them on a machine with network: "
            f"python scripts/download_task.py --task {name} --output results/tasks/{name}"
        ) from error
    return task


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
    return results.task_results[0]
