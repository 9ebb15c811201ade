"""Random split of a corpus into training and test texts."""

import numpy as np
from sklearn.model_selection import train_test_split

HELD_OUT_SEED = 42  # equal to the default seed of scores, so that held-out texts are their test texts


def split(n_texts: int, test_fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of training and test texts; the split is not stratified.

    It depends only on the number of texts and the seed, so all models, layers and poolings have the same test texts.
    """
    return tuple(train_test_split(np.arange(n_texts), test_size=test_fraction, random_state=seed))
