"""Forward pass of a model in fine-tuning: with less padding, bounded memory, and in lower precision."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from torch.utils.checkpoint import checkpoint
from transformers.modeling_outputs import BaseModelOutput

from selfembed.embeddings.precision import float_products, forward_pass
from selfembed.embeddings.token_batches import batches
from selfembed.models.token7 import SHORTEST

# Length at which attention in steps holds as much memory, quadratic in the length, as the rest of a layer. Measured in
# fp32: 416 for MPNet and BERT (heads of width 64), 208 for MiniLM (32).
QUADRATIC = 400

Forward = Callable[..., BaseModelOutput]
Features = dict[str, torch.Tensor]


@contextmanager
def encoder_forward(model: SentenceTransformer, precision: str, tokens_per_pass: int, tokens_kept: int) -> Iterator:
    """Within the context, split batches by text length and run the encoder in the given precision.

    With `bf16`, pooling, cosines and loss stay in fp32: rounding a cosine to bf16 causes an error of up to 0.08 after
    division by a temperature of 0.05. With `tf32`, only their factors are rounded, as in all products on a GPU.

    Args:
        precision: `fp32`, `tf32` or `bf16`.
        tokens_per_pass, tokens_kept: as in `by_length`.
    """
    encoder = model[0].model
    if precision == "bf16":
        encoder.forward = in_bf16(encoder.forward, model.device.type)
    model.forward = by_length(model.forward, tokens_per_pass, tokens_kept)
    try:
        with float_products(precision):  # of the backward pass, too
            yield
    finally:
        del model.forward
        vars(encoder).pop("forward", None)


def in_bf16(forward: Forward, device: str) -> Forward:
    """Return a forward pass under bf16 autocast that outputs token vectors in fp32."""

    def autocast(**arguments) -> BaseModelOutput:
        with forward_pass("bf16", device):
            output = forward(**arguments)
        output.last_hidden_state = output.last_hidden_state.float()
        return output

    return autocast


def by_length(forward: Callable[[Features], Features], tokens_per_pass: int, tokens_kept: int) -> Callable:
    """Return a forward pass of a model in parts: texts of similar length, each part padded to its longest text.

    Padding on the right is cut off; with padding on the left, parts have the full width.

    The activations of the first parts are kept for the backward pass. Those of the other parts are computed again
    there, part by part, with the same dropout masks, so memory does not grow with the batch. Vectors and gradients are
    the same in either way.

    Args:
        tokens_per_pass: maximum number of tokens in a part, including padding; fewer for long texts, whose attention
            needs more memory for each token.
        tokens_kept: maximum number of tokens, including padding, of parts whose activations are kept.
    """

    def passes(features: Features) -> Features:
        mask = features["attention_mask"]
        width = mask.shape[1]
        places = torch.arange(1, width + 1, device=mask.device)
        lengths = (mask * places).amax(dim=1).cpu().numpy()  # up to the last token, on either side

        def vectors_of(texts: np.ndarray, part_width: int) -> torch.Tensor:
            part = {
                name: value[texts, :part_width] if torch.is_tensor(value) and value.shape == mask.shape else value
                for name, value in features.items()
            }
            return forward(part)["sentence_embedding"]

        # Long texts last: the backward pass begins with them, and short ones then fit into the memory they leave.
        parts = list(batches(lengths + lengths**2 // QUADRATIC, tokens_per_pass))[::-1]
        vectors, tokens = [], 0
        with torch.autocast(mask.device.type, enabled=False):  # weights that are cast to bf16 are so for all parts
            for texts in parts:
                part_width = min(max(int(lengths[texts].max()), SHORTEST), width)
                tokens += len(texts) * part_width
                part = partial(vectors_of, texts, part_width)
                vectors.append(part() if tokens <= tokens_kept else checkpoint(part, use_reentrant=False))
        order = torch.from_numpy(np.argsort(np.concatenate(parts))).to(mask.device)
        return {"sentence_embedding": torch.cat(vectors)[order]}

    return passes
