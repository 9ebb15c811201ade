"""The one random split of a corpus into training and test texts."""

import numpy as np
from sklearn.model_selection import train_test_split

HELD_OUT_SEED = 42  # what runs hold out are the test texts of scores with the default seed


def split(n_texts: int, test_fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the training and the test texts: random, not stratified.

    It depends on the number of texts and the seed alone, so every model, layer and pooling is scored on the same texts.
    """
    return tuple(train_test_split(np.arange(n_texts), test_size=test_fraction, random_state=seed))
