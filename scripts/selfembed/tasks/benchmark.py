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
from selfembed.models import encoders


def model_at(
    folder: Path, layer: int, pooling: str, max_length: int, normalise: bool, name: str, checksum: str
) -> SentenceTransformer:
    """Load a saved model for mteb, truncated after a layer, with a pooling and optional normalisation.

    With pooling `own`, the default prompt of the model precedes all texts, those of queries and documents too.

    Args:
        name, checksum: identify the model in mteb's cache; models with equal values would share scores.
    """
    if pooling == "own":
        model = encoders.load_whole(folder)
        last = model[0].model.config.num_hidden_layers
        if layer != last:
            raise InputError(f"{folder}: pooling 'own' at layer {layer}; expected: the last layer, {last}")
        model.max_seq_length = min(max_length, model.max_seq_length)
        # mteb asks for these prompts by name.
        model.prompts = dict.fromkeys(("query", "document"), encoders.default_prompt(model) or "")
        model.default_prompt_name = "document"
    else:
        encoder = encoders.load(folder, layers=layer)
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
