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


def pool(hidden: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """Pool token vectors into text vectors.

    `mean` averages over the attention mask (including [CLS] and [SEP]; denominator at least 1e-9), `cls` selects
    position 0, `last` the last position that is not padding (zeros without tokens), `token7` position 7, even if it is
    padding.

    Args:
        hidden: token vectors, shape (texts, tokens, dim), padded on the right.
        mask: attention mask, shape (texts, tokens), 1 for tokens and 0 for padding.

    Returns shape (texts, dim), float32.
    """
    hidden = hidden.float()
    match pooling:
        case "mean":
            weights = mask.unsqueeze(-1).float()
            return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)
        case "cls":
            return hidden[:, 0]
        case "last":
            last = (mask.sum(dim=1) - 1).clamp(min=0)
            return hidden[torch.arange(len(hidden), device=hidden.device), last] * mask.any(dim=1, keepdim=True)
        case "token7":
            return hidden[:, token7.INDEX]
    raise ValueError(f"unknown pooling '{pooling}'")


def tokenize(texts: list[str], encoder: Transformer, max_length: int, chunk: int = 1000) -> list[np.ndarray]:
    """Return the inputs of the encoder for every text, truncated to `max_length` tokens, without padding.

    Inputs are the token ids, including special tokens, and the token types if tokenizer and encoder have them. int32,
    shape (inputs, tokens).
    """
    found = []
    for start in range(0, len(texts), chunk):
        encoded = encoder.tokenizer(
            texts[start : start + chunk],
            truncation=True,
            max_length=max_length,
            padding=False,
            return_attention_mask=False,
        )
        rows = zip(*(encoded[name] for name in inputs_of(encoder) if name in encoded), strict=True)
        found.extend(np.asarray(row, dtype=np.int32) for row in rows)
    return found


def inputs_of(encoder: Transformer) -> dict[str, int]:
    """Names of the inputs of an encoder, as in sentence-transformers, with their values at padding."""
    tokenizer, accepted = encoder.tokenizer, encoder.model_forward_params  # None: any
    values = {"input_ids": tokenizer.pad_token_id, "token_type_ids": tokenizer.pad_token_type_id}
    return {name: value for name, value in values.items() if accepted is None or name in accepted}


def pad(rows: list[np.ndarray], encoder: Transformer) -> dict[str, torch.Tensor]:
    """Return padded inputs and the attention mask of a batch; int64, shape (texts, tokens), padding on the right."""
    width = max(token7.SHORTEST, *(row.shape[1] for row in rows))
    values = list(inputs_of(encoder).items())[: len(rows[0])]
    padded = {name: np.full((len(rows), width), value, dtype=np.int64) for name, value in values}
    padded["attention_mask"] = np.zeros((len(rows), width), dtype=np.int64)
    for place, row in enumerate(rows):
        for (name, _), inputs in zip(values, row, strict=True):
            padded[name][place, : row.shape[1]] = inputs
        padded["attention_mask"][place, : row.shape[1]] = 1
    return {name: torch.from_numpy(inputs) for name, inputs in padded.items()}


def chosen_layers(layers: str | list[int], n_layers: int) -> list[int]:
    """Return layer numbers in ascending order from `all`, `last` or a list of numbers.

    Raises InputError if a layer does not exist.
    """
    if layers == "all":
        return list(range(n_layers + 1))
    if layers == "last":
        return [n_layers]
    for layer in [layers] if isinstance(layers, str) else layers:
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
    the encoder, after any final normalisation. Vectors are neither normalised nor centred. The encoder runs on its
    current device, without dropout.

    Args:
        out: float32 array to fill, for instance a memory map, shape (poolings, layers, texts, dim).
        tokens_per_batch: maximum number of tokens, including padding; TOKENS_PER_BATCH of the device by default.
        precision: `fp32`, `tf32` or `bf16`, of the encoder; pooling stays in fp32.
        progress: counter of texts; a new one by default.
    """
    encoder.eval()
    device = encoder.model.device
    rows = tokenize(texts, encoder, max_length)
    progress = progress or Progress(len(texts), "texts")
    lengths = np.array([row.shape[1] for row in rows])
    for positions in batches(lengths, tokens_per_batch or TOKENS_PER_BATCH[device.type]):
        inputs = {name: part.to(device) for name, part in pad([rows[place] for place in positions], encoder).items()}
        mask = inputs["attention_mask"]
        with forward_pass(precision, device.type):
            output = encoder.model(**inputs, output_hidden_states=True)
        # Without layers, an encoder has no hidden states. The last ones can be those before a final normalisation.
        hidden = (*(output.hidden_states or ())[:-1], output.last_hidden_state)
        for column, layer in enumerate(layers):
            for row, pooling in enumerate(poolings):
                out[row, column, positions] = pool(hidden[layer], mask, pooling).cpu().numpy()
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
    whole = [f"{prompt or ''}{text}" for text in texts]
    ids = model.tokenizer(whole, truncation=True, max_length=model.max_seq_length)["input_ids"]
    lengths = np.array([len(tokens) for tokens in ids])
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
