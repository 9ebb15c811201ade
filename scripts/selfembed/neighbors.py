"""k-nearest-neighbour classification of embeddings, dense or sparse, exactly as in the paper's study.

The search is exact and its memory bounded. Blocks of matrix products in single precision tell, with a bound of their
error, which texts cannot be among the nearest; distances in double precision order the few that are left. Of equally
near texts the first ones count, whatever the machine and its number of threads.
"""

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.preprocessing import normalize

from selfembed.errors import InputError

Vectors = np.ndarray | csr_matrix

UNIT_ROUNDOFF = 2.0**-24  # of single precision
BLOCK = 2**25  # similarities at a time: 128 MiB
PAIRS = 2**14  # distances at a time
GROUP = 128  # texts of which only the most similar one is looked at first
# Columns of sparse vectors with entries in more than this part of the rows are multiplied as dense ones.
DENSE = 0.03


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
    products = SparseProducts(train, test) if issparse(train) else DenseProducts(train, test)
    found = np.empty((n_test, k), dtype=np.int64)
    size = max(1, BLOCK // n_train)
    for start in range(0, n_test, size):
        block = slice(start, min(start + size, n_test))
        similarities = products.similarities(block)
        # At least k texts are in truth this similar; one that seems less similar by twice the error is not among them.
        needed = kth_largest(similarities, k) - 2 * products.error[block]
        rows, columns = np.divmod(np.flatnonzero(similarities >= needed[:, None]), n_train)
        distances = squared_distances(train, test, columns, rows + start)
        order = np.lexsort((columns, distances, rows))
        first = np.searchsorted(rows, np.arange(len(similarities)))
        found[block] = columns[order[first[:, None] + np.arange(k)]]
    return found


def kth_largest(similarities: np.ndarray, k: int) -> np.ndarray:
    """The k-th largest of the maxima of groups of columns: no more than the k-th largest value, and hardly less."""
    n_columns = similarities.shape[1]
    n_groups = max(min(n_columns, 8 * k), n_columns // GROUP)
    grouped = similarities[:, : n_columns - n_columns % n_groups].reshape(len(similarities), -1, n_groups).max(axis=1)
    return np.partition(grouped, n_groups - k, axis=1)[:, n_groups - k]


def squared_distances(train: Vectors, test: Vectors, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Squared distances of pairs of training texts (columns) and test texts (rows), float64, shape (pairs,)."""
    found = np.empty(len(rows))
    for start in range(0, len(rows), PAIRS):
        pairs = slice(start, start + PAIRS)
        found[pairs] = squared_norms(train[columns[pairs]].astype(np.float64) - test[rows[pairs]])
    return found


def squared_norms(vectors: Vectors) -> np.ndarray:
    """Squared Euclidean norms of rows, float64, shape (texts,)."""
    if issparse(vectors):
        return np.asarray(vectors.astype(np.float64).power(2).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)


class DenseProducts:
    """Similarities x·y - |y|²/2 of test texts x and training texts y in single precision: the larger, the nearer.

    Vectors are centred first, which changes no distance and makes errors small.

    Attributes:
        error: how far a test text's similarities can be off, shape (test texts,).
    """

    def __init__(self, train: np.ndarray, test: np.ndarray) -> None:
        mean = train.mean(axis=0, dtype=np.float64).astype(train.dtype)
        self.train, self.test = ((vectors - mean).astype(np.float32, copy=False) for vectors in (train, test))
        norms = squared_norms(self.train)
        self.half_norms = (norms / 2).astype(np.float32)
        self.error = error_bound(train.shape[1], squared_norms(self.test), norms)

    def similarities(self, block: slice) -> np.ndarray:
        """Those of a block of test texts, float32, shape (block, training texts)."""
        found = self.test[block] @ self.train.T
        found -= self.half_norms
        return found


class SparseProducts:
    """The same for CSR matrices, which are not centred.

    Most of the work of a sparse product is in the few columns that many rows share, such as frequent words. These are
    multiplied as dense matrices.

    Attributes:
        error: how far a test text's similarities can be off, shape (test texts,).
    """

    def __init__(self, train: csr_matrix, test: csr_matrix) -> None:
        dense = np.bincount(train.indices, minlength=train.shape[1]) > DENSE * train.shape[0]
        self.dense_train, self.dense_test = (part[:, dense].toarray().astype(np.float32) for part in (train, test))
        self.test = test[:, ~dense].astype(np.float32)
        self.transposed_train = train[:, ~dense].astype(np.float32).T.tocsr()
        norms = squared_norms(train)
        self.half_norms = (norms / 2).astype(np.float32)
        terms = int(dense.sum()) + int(np.diff(self.test.indptr).max())
        self.error = error_bound(terms, squared_norms(test), norms)

    def similarities(self, block: slice) -> np.ndarray:
        """Those of a block of test texts, float32, shape (block, training texts)."""
        found = self.dense_test[block] @ self.dense_train.T
        found -= self.half_norms
        found += (self.test[block] @ self.transposed_train).toarray()
        return found


def error_bound(terms: int, test_norms: np.ndarray, train_norms: np.ndarray) -> np.ndarray:
    """How far x·y - |y|²/2, a sum of so many terms, can be off in single precision; one for each x, from squared norms.

    A scalar product of n terms is off by at most n · u · |x| |y| (Higham, Accuracy and Stability of Numerical
    Algorithms, 2nd edition, section 3.1); the rounding of vectors and norms adds less than 4 · u · (|x| + |y|)² / 2.
    """
    return (terms + 4) * UNIT_ROUNDOFF * (np.sqrt(test_norms) + np.sqrt(train_norms.max())) ** 2 / 2
