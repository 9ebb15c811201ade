"""Random samples of the texts of a corpus that are too many."""

import numpy as np

SEED = 42


def random_rows(rows: int, most: int) -> np.ndarray:
    """Return the positions of at most `most` rows, drawn without replacement, in order; int64."""
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(SEED).choice(rows, most, replace=False))
