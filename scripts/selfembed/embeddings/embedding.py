"""Embeddings of all layers and poolings of an encoder in one forward pass over a corpus."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Transformer
from sentence_transformers.util import batch_to_device

from selfembed.embeddings import vectors
from selfembed.embeddings.precision import forward_pass
from selfembed.embeddings.token_batches import batches
from selfembed.errors import InputError
from selfembed.jobs.progress import Progress
from selfembed.models import checkpoints, encoders, token7

BLOCK = 8192  # texts per block of vectors: 0.3 GB for 13 layers of 768 dimensions

# Tokens in a batch, including padding: small enough for the cache of a CPU, large enough for a GPU.
TOKENS_PER_BATCH = {"cpu": 2048, "cuda": 65536}

TOKENIZED_AT_ONCE = 1000  # texts, whose tokens beyond the maximum length take memory


def tokenize(texts: list[str], encoder: Transformer, max_length: int) -> list[dict[str, list[int]]]:
    """Return the inputs of the encoder for every text, truncated to `max_length` tokens, without padding.

    Inputs are the token ids, including special tokens, and the token types if tokenizer and encoder have them.
    """
    accepted = encoder.model_forward_params  # None: any
    names = [name for name in ("input_ids", "token_type_ids") if accepted is None or name in accepted]
    found = []
    for start in range(0, len(texts), TOKENIZED_AT_ONCE):
        some = texts[start : start + TOKENIZED_AT_ONCE]
        encoded = encoder.tokenizer(some, truncation=True, max_length=max_length, return_attention_mask=False)
        columns = {name: encoded[name] for name in names if name in encoded}
        found += [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return found


def chosen_layers(layers: str | list[int], n_layers: int) -> list[int]:
    """Return layer numbers in ascending order from `all`, `last` or a list of numbers.

    Raises InputError if a layer does not exist.
    """
    if layers == "all":
        return list(range(n_layers + 1))
    if layers == "last":
        return [n_layers]
    for layer in layers:
        if layer not in range(n_layers + 1):
            raise InputError(f"layer '{layer}' does not exist; expected: all, last, or numbers from 0 to {n_layers}")
    return sorted(set(layers))


def blocks(n_texts: int, finished: int = 0) -> Iterator[slice]:
    """Yield blocks of consecutive texts, starting after the first `finished` texts."""
    for start in range(finished, n_texts, BLOCK):
        yield slice(start, min(start + BLOCK, n_texts))


def part_of(n_texts: int, number: int, parts: int) -> slice:
    """Return the texts of a part, counted from 1. Parts are whole blocks, as many as in other parts or one less.

    Texts are batched within their block, so vectors of a part have the same bytes as those of all texts. With more
    parts than blocks, some have no texts.
    """
    n_blocks = ceil(n_texts / BLOCK)
    start, stop = (BLOCK * (n_blocks * before // parts) for before in (number - 1, number))
    return slice(start, min(stop, n_texts))


@dataclass
class Embedder:
    """A saved model on its device, and the poolings and layers that it embeds texts in.

    Attributes:
        model: the encoder up to the highest layer or, for pooling `own`, the model with its modules.
        dim: dimension of a vector.
        max_length: texts are truncated to this many tokens.
        tokens_per_batch, precision: as in `embed`.
    """

    model: Transformer | SentenceTransformer
    poolings: list[str]
    layers: list[int]
    dim: int
    max_length: int
    precision: str
    tokens_per_batch: int | None

    def fill(self, folder: Path, texts: list[str], progress: Progress) -> Iterator[int]:
        """Embed texts block by block into the array that `vectors.create` made; yield the number of finished texts.

        Starts after the texts that `progress` has counted.
        """
        how = {"tokens_per_batch": self.tokens_per_batch, "precision": self.precision, "progress": progress}
        for block in blocks(len(texts), progress.done):
            out = vectors.to_fill(folder)
            if isinstance(self.model, Transformer):
                part = out[:, :, block]
                embed(self.model, texts[block], self.layers, self.poolings, part, max_length=self.max_length, **how)
            else:
                encode(self.model, texts[block], out[0, 0, block], **how)
            out.flush()
            yield block.stop


def load(
    folder: Path,
    poolings: list[str],
    layers: list[int],
    max_length: int,
    device: str,
    precision: str,
    tokens_per_batch: int | None = None,
) -> Embedder:
    """Load a saved model to embed texts, without the layers above the highest one.

    Args:
        poolings: `own` alone, with the last layer; the default prompt of the model then precedes all texts.
        max_length: maximum number of tokens; that of the model's own modules or positions, if it is smaller.

    Raises InputError if the model cannot be loaded.
    """
    if "own" in poolings:
        model = encoders.load_whole(folder)
        model.max_seq_length = max_length = min(max_length, model.max_seq_length)
        dim = model.get_embedding_dimension()
    else:
        model = encoders.load(folder, layers=min(checkpoints.last_layer(folder), max(layers) + 1))
        max_length = min(max_length, encoders.longest_input(model, max_length))
        dim = model.model.config.hidden_size
    return Embedder(model.to(device), poolings, layers, dim, max_length, precision, tokens_per_batch)


@torch.inference_mode()
def embed(
    encoder: Transformer,
    texts: list[str],
    layers: list[int],
    poolings: list[str],
    out: np.ndarray,
    *,
    max_length: int,
    tokens_per_batch: int | None = None,
    precision: str,
    progress: Progress | None = None,
) -> None:
    """Embed texts and write the vectors into `out` in the order of the texts.

    Layer 0 is the output of the embedding module, layers 1…L are the transformer layers; the last one is the output of
    the encoder, after any final normalisation. Special tokens are pooled, too. Vectors are neither
    normalised nor centred. The encoder runs on its current device, without dropout.

    Args:
        out: float32 array to fill, for instance a memory map, shape (poolings, layers, texts, dim).
        tokens_per_batch: maximum number of tokens, including padding; TOKENS_PER_BATCH of the device by default.
        precision: `fp32`, `tf32` or `bf16`, of the encoder; pooling stays in fp32.
        progress: counter of texts; a new one by default.
    """
    encoder.eval()
    device = encoder.model.device
    rows = tokenize(texts, encoder, max_length)
    lengths = np.array([len(row["input_ids"]) for row in rows])
    poolers = [encoders.pooling_module(pooling, encoder.get_embedding_dimension()) for pooling in poolings]
    progress = progress or Progress(len(texts), "texts")
    for positions in batches(lengths, tokens_per_batch or TOKENS_PER_BATCH[device.type]):
        inputs = encoder.tokenizer.pad(
            [rows[position] for position in positions],
            padding="max_length",
            max_length=max(token7.SHORTEST, int(lengths[positions].max())),
            return_attention_mask=True,
            return_tensors="pt",
        ).to(device)
        with forward_pass(precision, device.type):
            output = encoder.model(**inputs, output_hidden_states=True)
        # Without layers, an encoder has no hidden states. The last ones can be those before a final normalisation.
        hidden = (*(output.hidden_states or ())[:-1], output.last_hidden_state)
        for column, layer in enumerate(layers):
            features = {"token_embeddings": hidden[layer].float(), "attention_mask": inputs["attention_mask"]}
            for row, pooler in enumerate(poolers):
                out[row, column, positions] = pooler(features)["sentence_embedding"].cpu().numpy()
        progress.advance(len(positions))


def vectors_of(folder: Path, texts: list[str], device: str = "cpu") -> np.ndarray:
    """Embed texts as a saved model does by itself, in fp32; float32, shape (texts, dim)."""
    model = encoders.load_whole(folder).to(device)
    out = np.empty((len(texts), model.get_embedding_dimension()), dtype=np.float32)
    encode(model, texts, out, precision="fp32")
    return out


@torch.inference_mode()
def encode(
    model: SentenceTransformer,
    texts: list[str],
    out: np.ndarray,
    *,
    tokens_per_batch: int | None = None,
    precision: str,
    progress: Progress | None = None,
) -> None:
    """Embed texts with a model's own modules, prompt and maximum length, as `model.encode` does (pooling `own`).

    Args:
        out: float32 array to fill, shape (texts, dim).
        tokens_per_batch, precision, progress: as in `embed`; modules after the transformer are in fp32.
    """
    model.eval()
    prompt = encoders.default_prompt(model)
    rows = tokenize([f"{prompt or ''}{text}" for text in texts], model[0], model.max_seq_length)
    lengths = np.array([len(row["input_ids"]) for row in rows])
    progress = progress or Progress(len(texts), "texts")
    for positions in batches(lengths, tokens_per_batch or TOKENS_PER_BATCH[model.device.type]):
        features = model.preprocess([texts[position] for position in positions], prompt=prompt)
        features = batch_to_device(features, model.device)
        transformer, *others = model
        with forward_pass(precision, model.device.type):
            features = transformer(features)
        features["token_embeddings"] = features["token_embeddings"].float()
        for module in others:
            features = module(features)
        out[positions] = features["sentence_embedding"][:, : model.truncate_dim].cpu().numpy()
        progress.advance(len(positions))
