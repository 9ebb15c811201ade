"""A trial of an encoder before any long work: two texts are embedded and trained on, the model is saved and loaded."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer
from transformers import BertConfig, BertModel

from selfembed.errors import InputError, first_line
from selfembed.models import checkpoints, encoders
from selfembed.models.bert_with_adapter import BertWithAdapter

TEXTS = ["one short text", "a longer text, so that the short one is padded when both of them are in the same batch"]
LONGEST = 24  # tokens
POOLINGS = ("mean", "cls", "last")
TOLERANCE = 1e-3  # of the largest value of a vector; rounding in fp32 is below 1e-5
KINDS = "an encoder or a decoder, such as BERT or Qwen"


def run(folder: Path, layers: int, name: str) -> None:
    """Check that an encoder can be embedded with, fine-tuned, saved and loaded, and that the vectors stay the same.

    Args:
        layers: number of transformer layers.
        name: of the encoder in error messages, because the folder can be temporary.

    Raises InputError with one line that says what fails.
    """
    try:
        encoder = encoders.load(folder)
        check_complete(folder, encoder)
        check_vocabulary(encoder)
        with torch.random.fork_rng(devices=[]):
            model = encoders.assemble(encoder, "mean", min(LONGEST, encoders.longest_input(encoder, LONGEST)))
            check_layers(model, layers)
            check_vectors(model)
            check_gradients(model)
    except InputError as error:
        message = str(error).removeprefix(f"{folder}: ").replace(str(folder), name)
        raise InputError(f"{name}: {message}") from error
    except Exception as error:
        raise InputError(f"{name}: the encoder cannot be used: {first_line(error)}; expected: {KINDS}") from error


def check_complete(folder: Path, encoder: Transformer) -> None:
    """Raise InputError if weights are missing, except those of an unused pooler; transformers draws them at random."""
    architecture, config = type(encoder.model), encoder.model.config
    if architecture is BertWithAdapter:  # the weights of the adapter are in a folder of their own
        architecture, config = BertModel, BertConfig(**config.to_dict())
    with torch.random.fork_rng(devices=[]), checkpoints.loading(folder):
        local = encoders.LOCAL | {"use_safetensors": True}
        _, found = architecture.from_pretrained(folder, config=config, output_loading_info=True, **local)
    if missing := sorted(name for name in found["missing_keys"] if "pooler" not in name):
        raise InputError(
            f"model.safetensors lacks {len(missing)} tensors of the architecture in config.json, such as {missing[0]}; "
            "expected: weights that fit it"
        )


def check_vocabulary(encoder: Transformer) -> None:
    """Raise InputError if the tokenizer has tokens without a row in the embedding matrix."""
    rows = len(encoder.model.get_input_embeddings().weight)
    beyond = {token: place for token, place in encoder.tokenizer.get_vocab().items() if place >= rows}
    if beyond:
        raise InputError(
            f"{len(beyond)} tokens of the tokenizer, such as {min(beyond)!r}, are not among the {rows:,} rows of the "
            "embedding matrix; expected: a model saved after resize_token_embeddings(len(tokenizer))"
        )


@torch.inference_mode()
def check_layers(model: SentenceTransformer, layers: int) -> None:
    """Raise InputError if the encoder does not output the token vectors of all its layers."""
    features = model.preprocess(TEXTS)
    inputs = {name: features[name] for name in ("input_ids", "attention_mask")}
    output = model[0].model(**inputs, output_hidden_states=True)
    shape = (*inputs["input_ids"].shape, model[0].get_embedding_dimension())
    hidden = (*(getattr(output, "hidden_states", None) or ())[:-1], output.last_hidden_state)
    shapes = [tuple(vectors.shape) for vectors in hidden]
    if shapes != [shape] * (layers + 1):
        raise InputError(
            f"{type(model[0].model).__name__} outputs {shapes.count(shape)} of {len(shapes)} layers in the shape "
            f"{shape}; expected: {layers + 1} of {layers + 1}, as in {KINDS}"
        )


def check_vectors(model: SentenceTransformer) -> None:
    """Raise InputError if vectors are not finite, depend on padding, or change when the model is saved and loaded."""
    with tempfile.TemporaryDirectory() as saved:
        encoders.save(model, Path(saved), card="")
        loaded = SentenceTransformer(saved, device="cpu", local_files_only=True)
    for pooling in POOLINGS:
        model[1] = loaded[1] = encoders.pooling_module(pooling, model[0].get_embedding_dimension())
        found, alone, reloaded = (
            a_model.encode(TEXTS, batch_size=size, show_progress_bar=False)
            for a_model, size in ((model, 2), (model, 1), (loaded, 2))
        )
        if not np.isfinite(found).all():
            raise InputError("the encoder gives vectors with NaN or infinite values; expected: finite weights")
        if differ(found, alone):
            raise InputError("vectors of a text depend on its batch; expected: an encoder that masks padding")
        if differ(found, reloaded):
            raise InputError(
                f"vectors of the pooling '{pooling}' change when sentence-transformers saves and loads the model; "
                "expected: equal vectors"
            )


def check_gradients(model: SentenceTransformer) -> None:
    """Raise InputError if a step of fine-tuning would not change the encoder, or would make it NaN or infinite."""
    model.train()
    model(model.preprocess(TEXTS))["sentence_embedding"].square().sum().backward()
    sizes = torch.stack([weights.grad.norm() for weights in model.parameters() if weights.grad is not None])
    if not sizes.isfinite().all() or not sizes.any():
        raise InputError("gradients are zero, NaN or infinite; expected: an encoder that can be fine-tuned")


def differ(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether vectors of the same texts differ by more than the tolerance."""
    return bool((np.abs(one - other).max(axis=-1) > TOLERANCE * np.abs(other).max(axis=-1)).any())
