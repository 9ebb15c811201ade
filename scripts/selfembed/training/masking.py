"""Token masking: a fraction of the tokens of every text is replaced by the mask token of the encoder."""

from collections.abc import Callable
from itertools import count

import numpy as np
import torch

from selfembed.errors import InputError
from selfembed.training import processes


def mask_tokens(
    input_ids: torch.Tensor, maskable: torch.Tensor, fraction: float, mask_id: int, generator: np.random.Generator
) -> torch.Tensor:
    """Replace exactly round(fraction · L) of the L maskable tokens of each text, drawn without replacement.

    Args:
        input_ids: int64, shape (texts, tokens).
        maskable: bool, shape (texts, tokens): neither special tokens nor padding.

    Returns new token ids, same shape.
    """
    masked = input_ids.clone()
    for row, allowed in enumerate(maskable.numpy()):
        positions = np.flatnonzero(allowed)
        chosen = generator.choice(positions, round(fraction * len(positions)), replace=False)
        masked[row, chosen] = mask_id
    return masked


def masked_preprocessing(
    preprocess: Callable, tokenizer, fraction: float, seed: int, calls_before: int = 0
) -> Callable:
    """Return a preprocessing function with masking; the masked tokens are drawn independently in every call.

    Tokens of a prompt are not masked.

    Args:
        seed: determines the masked tokens, together with the number of the call and the rank of this process.
        calls_before: number of calls before the checkpoint that training resumes from.

    Raises InputError if the encoder has no mask token.
    """
    if tokenizer.mask_token_id is None:
        raise InputError("mask_fraction: the encoder's tokenizer has no mask token; expected: 0")
    # Unknown tokens can be masked.
    special = torch.tensor(sorted(set(tokenizer.all_special_ids) - {tokenizer.unk_token_id}))
    calls = count(calls_before)

    def masked(texts: list[str], **arguments) -> dict:
        features = preprocess(texts, **arguments)
        ids = features["input_ids"]
        # The second number separates this random stream from that of the pairs, which has the same seed.
        generator = np.random.default_rng([seed, 1, next(calls), processes.rank()])
        maskable = features["attention_mask"].bool() & ~torch.isin(ids, special)
        maskable &= features["attention_mask"].cumsum(dim=1) > features.get("prompt_length", 0)
        return {**features, "input_ids": mask_tokens(ids, maskable, fraction, tokenizer.mask_token_id, generator)}

    return masked
