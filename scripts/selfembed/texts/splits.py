"""The one random split of a corpus into training and test texts."""

import numpy as np
from sklearn.model_selection import train_test_split


def split(n_texts: int, test_fraction: float = 0.1, seed: int = 42) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the training and the test texts: random, not stratified.

    It depends on the number of texts and the seed alone, so every model, layer and pooling is scored on the same texts.
    """
    return tuple(train_test_split(np.arange(n_texts), test_size=test_fraction, random_state=seed))
