"""k-nearest-neighbour classification of embeddings, dense or sparse, exactly as in the paper's study.

The search is exact: matrix products in single precision find more candidates than are needed, distances in double
precision order them, and an error bound tells the texts for which that could have missed a neighbour; those are compared
with all texts. Of equally near texts the first ones count, whatever the machine and its number of threads.
"""

from collections.abc import Callable

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.preprocessing import normalize

from selfembed.errors import InputError

Vectors = np.ndarray | csr_matrix

SPARE_CANDIDATES = 22
BLOCK_CELLS = 2**25  # similarities at a time: 128 MiB in single precision, twice that for their order
UNIT_ROUNDOFF = 2.0**-24
# Columns of sparse vectors with more entries than this part of the rows are multiplied as dense ones.
DENSE_COLUMN = 0.03


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
    train: Vectors, train_labels: np.ndarray, test: Vectors, k: int = 10, metric: str = "euclidean"
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
    if metric == "cosine":
        train, test = normalize(train), normalize(test)
    classes, encoded = np.unique(train_labels, return_inverse=True)
    return classes[vote(encoded[nearest(train, test, k)], len(classes))]


def nearest(train: Vectors, test: Vectors, k: int) -> np.ndarray:
    """Positions of the k training texts with the smallest Euclidean distance to each test text.

    Args:
        train, test: shape (texts, dim), both dense or both CSR.

    Returns int64, shape (test texts, k), nearest first, equally near ones in the order of the training texts.
    """
    n_train, n_test = train.shape[0], test.shape[0]
    found = np.empty((n_test, k), dtype=np.int64)
    n_candidates = min(k + SPARE_CANDIDATES, n_train)
    products = SparseProducts(train, test) if issparse(train) else DenseProducts(train, test)
    size = max(1, BLOCK_CELLS // n_train)
    for start in range(0, n_test, size):
        block = slice(start, min(start + size, n_test))
        similarities = products.similarities(block)
        candidates = np.argpartition(similarities, n_train - n_candidates, axis=1)[:, n_train - n_candidates :]
        candidates.sort(axis=1)
        distances = squared_distances(train, test[block], candidates)
        order = np.argsort(distances, axis=1, kind="stable")[:, :k]
        found[block] = np.take_along_axis(candidates, order, axis=1)
        if n_candidates < n_train:
            worst = np.take_along_axis(similarities, candidates, axis=1).min(axis=1) + products.error[block]
            last = (products.squared_norms[block] - np.take_along_axis(distances, order[:, -1:], axis=1)[:, 0]) / 2
            for position in start + np.flatnonzero(last <= worst):
                everything = np.arange(n_train)[None]
                found[position] = nearest_of(train, test[position : position + 1], everything, k)
    return found


class DenseProducts:
    """Similarities x·y - |y|²/2 of test texts x and training texts y in single precision: the larger, the nearer.

    Vectors are centred first, which changes no distance and makes errors small.

    Attributes:
        squared_norms: |x|² of the centred test texts, float64, shape (test texts,).
        error: how far a test text's similarities can be off, float64, shape (test texts,): the bound of a scalar
            product, dim · u · |x| |y|, and what the rounding of vectors and norms adds to it.
    """

    def __init__(self, train: np.ndarray, test: np.ndarray) -> None:
        mean = train.mean(axis=0, dtype=np.float64)
        self.train, self.test = ((vectors - mean).astype(np.float32) for vectors in (train, test))
        norms = row_norms(self.train)
        self.half_norms = (norms / 2).astype(np.float32)
        self.squared_norms = row_norms(self.test)
        self.error = error_bound(train.shape[1], self.squared_norms, norms)

    def similarities(self, block: slice) -> np.ndarray:
        """Those of a block of test texts, float32, shape (block, training texts)."""
        found = self.test[block] @ self.train.T
        found -= self.half_norms
        return found


class SparseProducts:
    """The same for CSR matrices, which are not centred.

    Most of the work of a sparse product is in the few columns that most rows share, such as frequent words. These are
    multiplied as dense matrices.
    """

    def __init__(self, train: csr_matrix, test: csr_matrix) -> None:
        entries = np.bincount(train.indices, minlength=train.shape[1])
        dense = entries > DENSE_COLUMN * train.shape[0]
        self.dense_train, self.dense_test = (part[:, dense].toarray().astype(np.float32) for part in (train, test))
        self.sparse_train, self.sparse_test = (part[:, ~dense].astype(np.float32) for part in (train.T.tocsr().T, test))
        norms = row_norms(train)
        self.half_norms = (norms / 2).astype(np.float32)
        self.squared_norms = row_norms(test)
        terms = int(dense.sum() + np.diff(self.sparse_test.indptr).max(initial=0))
        self.error = error_bound(terms, self.squared_norms, norms)

    def similarities(self, block: slice) -> np.ndarray:
        """Those of a block of test texts, float32, shape (block, training texts)."""
        found = self.dense_test[block] @ self.dense_train.T
        found -= self.half_norms
        found += (self.sparse_test[block] @ self.sparse_train).toarray()
        return found


def error_bound(terms: int, test_norms: np.ndarray, train_norms: np.ndarray) -> np.ndarray:
    """How far x·y - |y|²/2 of so many terms can be off in single precision, from squared norms; one for each x.

    Higham, Accuracy and Stability of Numerical Algorithms, 2nd edition, section 3.1.
    """
    return (terms + 4) * UNIT_ROUNDOFF * (np.sqrt(test_norms) + np.sqrt(train_norms.max())) ** 2 / 2


def row_norms(vectors: Vectors) -> np.ndarray:
    """Squared Euclidean norms of rows, float64."""
    if issparse(vectors):
        return np.asarray(vectors.multiply(vectors).sum(axis=1), dtype=np.float64).ravel()
    return np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)


def squared_distances(train: Vectors, test: Vectors, candidates: np.ndarray) -> np.ndarray:
    """Squared distances of each test text to its candidates, float64, shape (test texts, candidates)."""
    found = np.empty(candidates.shape)
    for row, columns in enumerate(candidates):
        if issparse(train):
            found[row] = row_norms(train[columns] - repeated)
        else:
            difference = train[columns].astype(np.float64) - test[row]
            found[row] = np.einsum("ij,ij->i", difference, difference)
    return found
