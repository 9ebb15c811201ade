"""Run MTEB tasks with mteb on vectors of any layer and pooling of a model."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mteb
import numpy as np
import torch
from mteb.abstasks.abstask import AbsTask
from mteb.abstasks.classification import AbsTaskClassification
from mteb.cache import ResultCache
from mteb.models.abs_encoder import AbsEncoder
from mteb.models.model_meta import ModelMeta, ScoringFunction
from mteb.results import TaskResult
from mteb.types import BatchedInput
from sentence_transformers import SentenceTransformer
from torch.nn.functional import normalize
from torch.utils.data import DataLoader

from selfembed.embeddings import embedding
from selfembed.errors import InputError
from selfembed.jobs import devices
from selfembed.jobs.progress import Progress
from selfembed.models import checkpoints
from selfembed.tasks.text_vectors import TextVectors

ROUNDING = 1e-5  # relative distance of vectors that are equal, but computed in different batches
TEXTS_PER_BATCH = embedding.BLOCK  # texts that mteb passes at a time


@dataclass
class ModelVectors:
    """A model whose vectors of texts are scored: layers and poolings of one forward pass.

    Attributes:
        texts: vectors, shape (poolings, layers, texts, dim).
        similarity: similarity function of mteb: `cosine`, or that of the encoder's own modules.
        max_length: texts are truncated to this many tokens.
    """

    texts: TextVectors
    poolings: list[str]
    layers: list[int]
    similarity: str
    max_length: int


def load(
    folder: Path, poolings: list[str], layers: list[int], max_length: int, scratch: Path, device: str, precision: str
) -> ModelVectors:
    """Load a saved model for `evaluate`, without the layers above the highest one.

    The vectors of a layer are those of `embeddings.embedding`: without the final normalisation of the encoder, if any.
    GPUs are locked only while the model is on its way or computes vectors (`devices.locked_gpus`).

    Args:
        poolings: of tasks; `own` alone, at the last layer. The default prompt of the model then precedes all texts.

    Raises InputError if the model cannot be loaded or pooling `own` is combined with others.
    """
    last = checkpoints.last_layer(folder)
    if "own" in poolings and (poolings, layers) != (["own"], [last]):
        found = f"{folder}: poolings {', '.join(poolings)} at layers {', '.join(map(str, layers))}"
        raise InputError(f"{found}; expected: 'own' alone, at the last layer, {last}")
    with devices.locked_gpus():
        model = embedding.load(folder, poolings, layers, max_length, device, precision)

    def embed(texts: list[str], filled: Path) -> None:
        with devices.locked_gpus():
            for _ in model.fill(filled, texts, Progress(len(texts), "texts")):
                pass

    whole = model.model if isinstance(model.model, SentenceTransformer) else None
    similarity = (whole and whole.similarity_fn_name) or "cosine"
    texts = TextVectors(embed, len(poolings), len(layers), model.dim, scratch)
    return ModelVectors(texts, poolings, layers, similarity, model.max_length)


def evaluate(model: ModelVectors, task: AbsTask, pooling: str, layer: int, normalise: bool) -> TaskResult:
    """Score a layer and pooling of a model on a task with an empty mteb cache; return mteb's result.

    Args:
        normalise: scale vectors to unit length.

    Raises InputError if there is no finite score; the message says whether the reason is the model's vectors.
    """
    encoder = LookUp(model, pooling, layer, normalise)
    name, main_score = task.metadata.name, task.metadata.main_score
    try:
        result = run(encoder, task)
    except ValueError as error:  # of scikit-learn or scipy
        if encoder.fault is None:
            raise
        raise InputError(f"task '{name}': no {main_score}, because {encoder.fault}") from error
    if not np.isfinite(result.get_score()):
        reason = encoder.fault or "it is not defined for these texts and labels; the model's vectors are in order"
        raise InputError(f"task '{name}': {main_score} is {result.get_score()}, because {reason}")
    return result


def run(encoder: AbsEncoder, task: AbsTask) -> TaskResult:
    """Run mteb on a task instance with an empty cache; return its result.

    Raises InputError if there is none, and errors of mteb.
    """
    if isinstance(task, AbsTaskClassification):
        read_labels_once(task)
    with tempfile.TemporaryDirectory() as folder:
        results = mteb.evaluate(
            encoder,
            task,
            cache=ResultCache(folder),
            overwrite_strategy="always",
            encode_kwargs={"batch_size": TEXTS_PER_BATCH},
            co2_tracker=False,
            show_progress_bar=False,
        )
    if not results.task_results:
        raise InputError(f"task '{task.metadata.name}': mteb gave no result")
    return results.task_results[0]


def read_labels_once(task: AbsTaskClassification) -> None:
    """Let mteb compare predictions with a list of labels; it would read every label of the data dozens of times."""
    if "_calculate_scores" in vars(task):
        return
    calculate = task._calculate_scores
    task._calculate_scores = lambda labels, predicted: calculate(list(labels), predicted)


class LookUp(AbsEncoder):
    """An encoder in mteb's protocol that looks up the vectors of one layer and pooling.

    Attributes:
        finite: whether all values so far are finite.
        equal: whether all vectors so far are equal, up to rounding.
    """

    def __init__(self, model: ModelVectors, pooling: str, layer: int, normalise: bool) -> None:
        self.vectors = model.texts
        self.place = model.poolings.index(pooling), model.layers.index(layer)
        self.normalise = normalise
        function = ScoringFunction.from_str(model.similarity)
        self.mteb_model_meta = ModelMeta.create_empty(overwrites={"similarity_fn_name": function})
        self.finite = self.equal = True
        self.first: np.ndarray | None = None

    def encode(self, inputs: DataLoader[BatchedInput], **described: Any) -> np.ndarray:
        """Return the vectors of texts, float32, shape (texts, dim); `described` is what mteb says about the texts."""
        found = self.vectors.look_up([text for batch in inputs for text in batch["text"]], *self.place)
        if self.normalise:
            found = normalize(torch.from_numpy(found), dim=1).numpy()
        self.check(found)
        return found

    def check(self, found: np.ndarray) -> None:
        """Take account of vectors, shape (texts, dim), that are finite and different, or not."""
        self.first = found[0] if self.first is None else self.first
        self.finite = self.finite and bool(np.isfinite(found).all())
        apart = np.linalg.norm(found - self.first, axis=1).max()
        self.equal = self.equal and bool(apart <= ROUNDING * np.linalg.norm(self.first))

    @property
    def fault(self) -> str | None:
        """Return what is wrong with the vectors and what is expected; None if nothing is."""
        if not self.finite:
            return "the model's vectors contain NaN or infinite values; expected: finite values (did training diverge?)"
        if self.equal:
            return "the model's vectors are all equal; expected: different vectors (did training collapse?)"
        return None
