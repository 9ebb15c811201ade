"""Run MTEB tasks with mteb. Results of different models are kept apart."""

import tempfile
from pathlib import Path

import mteb
import numpy as np
from mteb.abstasks.abstask import AbsTask
from mteb.cache import ResultCache
from mteb.results import TaskResult
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize

from selfembed.errors import InputError
from selfembed.models import checkpoints, encoders


def model_at(
    folder: Path, layer: int, pooling: str, max_length: int, normalise: bool, name: str, checksum: str
) -> SentenceTransformer:
    """Load a saved model for mteb, with the output of a layer, a pooling and optional normalisation.

    The vectors of a layer are those of `embeddings.embedding`: without the final normalisation of the encoder, if any.

    Args:
        name, checksum: identify the model in mteb's cache; models with equal values would share scores.
    """
    last = checkpoints.last_layer(folder)
    encoder = encoders.load(folder, layers=layer if layer >= last else layer + 1)
    if layer < last:
        encoders.output_layer(encoder, layer)
    model = encoders.assemble(encoder, pooling, min(max_length, encoders.longest_input(encoder, max_length)))
    if normalise:
        model.append(Normalize())
    model.model_card_data.model_name = name
    model.model_card_data.base_model_revision = checksum
    return model


def evaluate(model: SentenceTransformer, task: AbsTask, batch_size: int = 32) -> TaskResult:
    """Score a model on a new task instance with an empty mteb cache; return mteb's result.

    Raises InputError if mteb returns no finite score.
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
        raise InputError(f"task '{task.metadata.name}': score is {result.get_score()}; are the model's vectors finite?")
    return result
