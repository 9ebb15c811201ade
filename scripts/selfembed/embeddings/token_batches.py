"""Batches with a maximum number of tokens, of texts of similar length to reduce padding."""

from collections.abc import Iterator

import numpy as np

from selfembed.models.token7 import SHORTEST  # minimum width of a batch


def batches(lengths: np.ndarray, tokens_per_batch: int) -> Iterator[np.ndarray]:
    """Yield positions of texts by batch, longest texts first.

    A batch has at most `tokens_per_batch` tokens, including padding, or one text.
    """
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, tokens_per_batch // max(int(lengths[order[start]]), SHORTEST))
        yield order[start : start + size]
        start += size
