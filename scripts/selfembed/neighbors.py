"""k-nearest-neighbour classification of embeddings, dense or sparse, exactly as in the paper's study.

Neighbours come from scikit-learn's exact brute-force search, which works in blocks of bounded memory.
"""

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.neighbors import NearestNeighbors

from selfembed.errors import InputError


def vote(neighbor_labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Majority class of each row; ties go to the smallest class.

    Args:
        neighbor_labels: integer classes of the neighbours, shape (texts, k), values in [0, n_classes).

    Returns the classes, shape (texts,).
    """
    texts = len(neighbor_labels)
    cells = np.arange(texts)[:, None] * n_classes + neighbor_labels
    votes = np.bincount(cells.ravel(), minlength=texts * n_classes).reshape(texts, n_classes)
    return votes.argmax(axis=1)


def predict(
    train: np.ndarray | csr_matrix,
    train_labels: np.ndarray,
    test: np.ndarray | csr_matrix,
    k: int = 10,
    metric: str = "euclidean",
) -> np.ndarray:
    """Labels of the test texts by majority among their k nearest training texts.

    Args:
        train, test: embeddings, shape (texts, dim), float32 or float64, dense or CSR.
        train_labels: any sortable labels, shape (training texts,). Ties go to the label that sorts first.

    Raises InputError if there are fewer than k training texts.
    """
    n_train = train.shape[0]
    if n_train < k:
        raise InputError(
            f"{n_train} labelled training texts are too few for k = {k} neighbours; allowed: up to {n_train}"
        )
    classes, encoded = np.unique(train_labels, return_inverse=True)
    search = NearestNeighbors(n_neighbors=k, algorithm="brute", metric=metric).fit(train)
    nearest = search.kneighbors(test, return_distance=False)
    return classes[vote(encoded[nearest], len(classes))]
