"""Random split of a corpus into training and test texts."""

import math

import numpy as np

HELD_OUT_SEED = 42  # equal to the default seed of scores, so that held-out texts are their test texts


def split(n_texts: int, test_fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions of training and test texts; the split is not stratified.

    It depends only on the number of texts and the seed, so all models, layers and poolings have the same test texts.
    It is that of `train_test_split` of scikit-learn, which takes seconds to import.

    Raises ValueError if one of the parts would be empty.
    """
    n_test = math.ceil(test_fraction * n_texts)
    if not 0 < n_test < n_texts:
        raise ValueError(f"{n_test} of {n_texts} texts would be test texts; expected: texts in both parts")
    positions = np.random.RandomState(seed).permutation(n_texts)
    return positions[n_test:], positions[:n_test]
