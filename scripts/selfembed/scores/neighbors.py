"""k-nearest-neighbour classification of embeddings, dense or sparse, exactly as in the paper's study.

The search is exact and its memory bounded. Blocks of matrix products in single precision tell, with a bound of their
error, which texts cannot be among the nearest; distances in double precision order the few that are left. Of equally
near texts the first ones count, whatever the machine and its number of threads.
"""

import numpy as np
from scipy.sparse import issparse
from sklearn.preprocessing import normalize

from selfembed.errors import InputError
from selfembed.jobs.progress import Progress
from selfembed.scores.similarities import DenseProducts, Products, Vectors, squared_norms

BLOCK = 2**25  # similarities at a time: 128 MiB
PAIRS = 2**10  # distances at a time: few enough for the cache
GROUP = 128  # texts of which only the most similar one is looked at first


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
    products = products_of(train, test)
    found = np.empty((n_test, k), dtype=np.int64)
    size = max(1, BLOCK // n_train)
    progress = Progress(n_test, "test texts")
    for start in range(0, n_test, size):
        block = slice(start, min(start + size, n_test))
        rows, columns = candidates(products.similarities(block), k, products.error[block])
        distances = squared_distances(train, test, columns, rows + start)
        order = np.lexsort((columns, distances, rows))
        first = np.searchsorted(rows[order], np.arange(block.stop - start))
        found[block] = columns[order[first[:, None] + np.arange(k)]]
        progress.advance(len(first))
    return found


def products_of(train: Vectors, test: Vectors) -> Products:
    """Similarities of dense or of sparse vectors."""
    if issparse(train):
        from selfembed.scores.sparse_similarities import SparseProducts  # numba takes a while to import

        return SparseProducts(train, test)
    return DenseProducts(train, test)


def candidates(similarities: np.ndarray, k: int, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of all pairs that can be among the k most similar of their row, and hardly any other.

    The k-th largest of the maxima of groups of columns is no more than the k-th largest value. At least k texts are in
    truth as similar as that, less the error; a text that seems less similar by twice the error is not among the k.

    Args:
        similarities: float32, shape (test texts, training texts).
        error: how far each row can be off, shape (test texts,).

    Returns positions, two arrays of shape (pairs,).
    """
    n_rows, n_columns = similarities.shape
    n_groups = max(min(n_columns, 8 * k), n_columns // GROUP)
    size = n_columns // n_groups
    largest = similarities[:, : size * n_groups].reshape(n_rows, size, n_groups).max(axis=1)
    needed = np.partition(largest, n_groups - k, axis=1)[:, n_groups - k] - 2 * error
    # Only groups whose largest value is large enough are looked at, and the columns that are in no group.
    rows, groups = np.divmod(np.flatnonzero(largest >= needed[:, None]), n_groups)
    members = groups[:, None] + n_groups * np.arange(size)
    pair, member = np.nonzero(similarities[rows[:, None], members] >= needed[rows, None])
    other_rows, others = np.nonzero(similarities[:, size * n_groups :] >= needed[:, None])
    return np.append(rows[pair], other_rows), np.append(members[pair, member], others + size * n_groups)


def squared_distances(train: Vectors, test: Vectors, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Squared distances of pairs of training texts (columns) and test texts (rows), float64, shape (pairs,)."""
    found = np.empty(len(rows))
    for start in range(0, len(rows), PAIRS):
        pairs = slice(start, start + PAIRS)
        found[pairs] = squared_norms(train[columns[pairs]].astype(np.float64) - test[rows[pairs]])
    return found
