"""Batches by tokens instead of texts: texts of similar length together, so that hardly anything is padding."""

from collections.abc import Iterator

import numpy as np

from selfembed.models.token7 import SHORTEST  # every batch is padded to it


def batches(lengths: np.ndarray, tokens_per_batch: int) -> Iterator[np.ndarray]:
    """Positions of texts of similar length, longest first, at most `tokens_per_batch` padded tokens or one text."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        size = max(1, tokens_per_batch // max(int(lengths[order[start]]), SHORTEST))
        yield order[start : start + size]
        start += size
