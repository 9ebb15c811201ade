"""Run MTEB tasks with mteb. Results of different models are kept apart."""

import tempfile
from pathlib import Path
from typing import Any

import mteb
import numpy as np
import torch
from mteb.abstasks.abstask import AbsTask
from mteb.cache import ResultCache
from mteb.results import TaskResult
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize

from selfembed.errors import InputError
from selfembed.models import checkpoints, encoders

ROUNDING = 1e-5  # relative distance of vectors that are equal, but computed in different batches


def model_at(
    folder: Path, layer: int, pooling: str, max_length: int, normalise: bool, name: str, checksum: str
) -> SentenceTransformer:
    """Load a saved model for mteb, with the output of a layer, a pooling and optional normalisation.

    The vectors of a layer are those of `embeddings.embedding`: without the final normalisation of the encoder, if any.

    With pooling `own`, the default prompt of the model precedes all texts, those of queries and documents too.

    Args:
        name, checksum: identify the model in mteb's cache; models with equal values would share scores.
    """
    last = checkpoints.last_layer(folder)
    if pooling == "own":
        if layer != last:
            raise InputError(f"{folder}: pooling 'own' at layer {layer}; expected: the last layer, {last}")
        model = encoders.load_whole(folder)
        model.max_seq_length = min(max_length, model.max_seq_length)
        # mteb asks for these prompts by name.
        model.prompts = dict.fromkeys(("query", "document"), encoders.default_prompt(model) or "")
        model.default_prompt_name = "document"
    else:
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

    Raises InputError if there is no finite score; the message says whether the reason is the model's vectors.
    """
    vectors = Vectors()
    hook = model.register_forward_hook(vectors.see)
    name, main_score = task.metadata.name, task.metadata.main_score
    try:
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
    except ValueError as error:  # of scikit-learn or scipy
        if vectors.fault is None:
            raise
        raise InputError(f"task '{name}': no {main_score}, because {vectors.fault}") from error
    finally:
        hook.remove()
    if not results.task_results:
        raise InputError(f"task '{name}': mteb gave no result")
    (result,) = results.task_results
    if not np.isfinite(result.get_score()):
        reason = vectors.fault or "it is not defined for these texts and labels; the model's vectors are in order"
        raise InputError(f"task '{name}': {main_score} is {result.get_score()}, because {reason}")
    return result


class Vectors:
    """What the vectors of a model have in common, from batches as they are computed.

    Attributes:
        finite: whether all values are finite.
        equal: whether all vectors are equal, up to rounding.
    """

    def __init__(self) -> None:
        self.finite = self.equal = True
        self.first: torch.Tensor | None = None

    def see(self, model: torch.nn.Module, given: Any, found: dict[str, torch.Tensor]) -> None:
        """Take account of a batch of vectors, shape (texts, dim); a forward hook."""
        batch = found["sentence_embedding"].detach()
        self.first = batch[0] if self.first is None else self.first
        self.finite = self.finite and bool(torch.isfinite(batch).all())
        apart = torch.linalg.vector_norm(batch - self.first, dim=1).max()
        self.equal = self.equal and bool(apart <= ROUNDING * torch.linalg.vector_norm(self.first))

    @property
    def fault(self) -> str | None:
        """Return what is wrong with the vectors and what is expected; None if nothing is."""
        if not self.finite:
            return "the model's vectors contain NaN or infinite values; expected: finite values (did training diverge?)"
        if self.equal:
            return "the model's vectors are all equal; expected: different vectors (did training collapse?)"
        return None
