"""Forward pass of the encoder in fine-tuning: with less padding, and in lower precision."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from sentence_transformers import SentenceTransformer
from torch.nn.functional import pad
from transformers.modeling_outputs import BaseModelOutput

from selfembed.embeddings.precision import float_products, forward_pass
from selfembed.embeddings.token_batches import batches
from selfembed.models.token7 import SHORTEST

Forward = Callable[..., BaseModelOutput]


@contextmanager
def encoder_forward(model: SentenceTransformer, precision: str, tokens_per_pass: int) -> Iterator[None]:
    """Within the context, split batches of the encoder by text length and run it in the given precision.

    With `bf16`, pooling, cosines and loss stay in fp32: rounding a cosine to bf16 causes an error of up to 0.08 after
    division by a temperature of 0.05. With `tf32`, only their factors are rounded, as in all products on a GPU.

    Args:
        precision: `fp32`, `tf32` or `bf16`.
        tokens_per_pass: maximum number of tokens in a forward pass, including padding.
    """
    encoder = model[0].model
    forward = by_length(encoder.forward, tokens_per_pass)
    encoder.forward = in_bf16(forward, model.device.type) if precision == "bf16" else forward
    try:
        with float_products(precision):  # of the backward pass, too
            yield
    finally:
        del encoder.forward


def in_bf16(forward: Forward, device: str) -> Forward:
    """Return a forward pass under bf16 autocast that outputs token vectors in fp32."""

    def autocast(**arguments) -> BaseModelOutput:
        with forward_pass("bf16", device):
            output = forward(**arguments)
        output.last_hidden_state = output.last_hidden_state.float()
        return output

    return autocast


def by_length(forward: Forward, tokens_per_pass: int) -> Forward:
    """Return a forward pass in parts: texts of similar length, each part padded to its longest text.

    Padding on the right is cut off; with padding on the left, parts have the full width. Token vectors differ only at
    padding after the first `SHORTEST` tokens, where they can be 0.
    """

    def passes(input_ids: torch.Tensor, attention_mask: torch.Tensor, **arguments) -> BaseModelOutput:
        if input_ids.numel() <= tokens_per_pass:
            return forward(input_ids=input_ids, attention_mask=attention_mask, **arguments)
        n_texts, width = input_ids.shape
        places = torch.arange(1, width + 1, device=attention_mask.device)
        lengths = (attention_mask * places).amax(dim=1).cpu().numpy()  # up to the last token, on either side
        parts = list(batches(lengths, tokens_per_pass))
        found = []
        for texts in parts:
            part_width = min(max(int(lengths[texts].max()), SHORTEST), width)
            part = {
                name: value[texts, :part_width] if torch.is_tensor(value) and value.shape == input_ids.shape else value
                for name, value in {"input_ids": input_ids, "attention_mask": attention_mask, **arguments}.items()
            }
            hidden = forward(**part).last_hidden_state
            found.append(pad(hidden, (0, 0, 0, width - part_width)))
        order = torch.empty(n_texts, dtype=torch.long)
        order[torch.cat([torch.from_numpy(texts) for texts in parts])] = torch.arange(n_texts)
        return BaseModelOutput(last_hidden_state=torch.cat(found)[order.to(input_ids.device)])

    return passes
