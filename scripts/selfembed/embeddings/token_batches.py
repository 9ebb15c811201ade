"""Batches of texts of similar length, limited by the number of tokens."""

from collections.abc import Iterator

import numpy as np

from selfembed.models.token7 import SHORTEST  # minimum padded length of a batch


def batches(lengths: np.ndarray, tokens_per_batch: int) -> Iterator[np.ndarray]:
    """Yield positions of texts of similar length, longest first, with at most `tokens_per_batch` padded tokens."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, tokens_per_batch // max(int(lengths[order[start]]), SHORTEST))
        yield order[start : start + size]
        start += size
