"""Exact k-nearest-neighbour classification of dense or sparse embeddings.

scikit-learn's exact search returns a few more candidates than needed. Their distances are recomputed one by one in
double precision, so results do not depend on the rounding of matrix products or the number of threads. Ties go to the
first texts.
"""

import numpy as np
from scipy.sparse import csr_matrix, issparse
from scipy.spatial.distance import cdist
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize
from sklearn.utils import gen_batches
from sklearn.utils.extmath import row_norms

from selfembed.errors import InputError
from selfembed.jobs.progress import Progress

Vectors = np.ndarray | csr_matrix

BLOCK = 1000  # test texts per search; progress is logged after each
SPARE = 10  # additional candidates


def vote(neighbor_labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the majority class of each row, shape (texts,); ties go to the smallest class.

    Args:
        neighbor_labels: integer classes of the neighbours, shape (texts, k), values in [0, n_classes).
    """
    texts = len(neighbor_labels)
    cells = np.arange(texts)[:, None] * n_classes + neighbor_labels
    votes = np.bincount(cells.ravel(), minlength=texts * n_classes).reshape(texts, n_classes)
    return votes.argmax(axis=1)


def predict(train: Vectors, train_labels: np.ndarray, test: Vectors, *, k: int, metric: str) -> np.ndarray:
    """Predict the labels of the test texts by majority vote of their k nearest training texts.

    Args:
        train, test: embeddings, shape (texts, dim), float32 or float64, dense or CSR.
        train_labels: any sortable labels, shape (training texts,). Ties go to the label that sorts first.
        metric: `euclidean` or `cosine`.

    Raises InputError if there are fewer than k training texts.
    """
    n_train = train.shape[0]
    if n_train < k:
        raise InputError(
            f"{n_train} labelled training texts are too few for k = {k} neighbours; expected: at most {n_train}"
        )
    if metric == "cosine":
        train, test = normalize(train), normalize(test)
    classes, encoded = np.unique(train_labels, return_inverse=True)
    return classes[vote(encoded[nearest(train, test, k)], len(classes))]


def nearest(train: Vectors, test: Vectors, k: int) -> np.ndarray:
    """Return the positions of the k training texts with the smallest Euclidean distance to each test text.

    Args:
        train, test: shape (texts, dim), both dense or both CSR.

    Returns int64, shape (test texts, k), nearest first; ties are in the order of the training texts.
    """
    n_train, n_test = train.shape[0], test.shape[0]
    search = NearestNeighbors(n_neighbors=min(k + SPARE, n_train), algorithm="brute").fit(train)
    norms, longest = row_norms(test), row_norms(train).max()
    found = np.empty((n_test, k), dtype=np.int64)
    progress = Progress(n_test, "test texts")
    for batch in gen_batches(n_test, BLOCK):
        rows = range(n_test)[batch]
        distances, candidates = search.kneighbors(test[batch])
        # Other texts can be among the k nearest only if the last candidate is about as near as the k-th.
        apart = distances[:, -1] ** 2 - distances[:, k - 1] ** 2
        complete = apart > 2 * rounding_error(train.shape[1], norms[batch], longest)
        for row, columns, is_complete in zip(rows, candidates, complete, strict=True):
            columns = np.sort(columns) if is_complete else np.arange(n_train)
            exact = squared_distances(test[row : row + 1], train[columns])
            found[row] = columns[np.argsort(exact, kind="stable")[:k]]
        progress.advance(len(rows))
    return found


def rounding_error(dim: int, norms: np.ndarray, longest: float) -> np.ndarray:
    """Bound on the rounding error of |x|² + |y|² - 2 x·y in double precision, for |x| in `norms` and |y| <= `longest`.

    The error of a scalar product of n terms is at most n · u · |x| |y| with u = 2⁻⁵³ (Higham, Accuracy and Stability of
    Numerical Algorithms, 2nd edition, section 3.1); sums, roots and squares add less than 8 · u · (|x| + |y|)².
    """
    return (dim + 8) * 2.0**-53 * (norms.astype(np.float64) + longest) ** 2


def squared_distances(text: Vectors, others: Vectors) -> np.ndarray:
    """Squared distances of one text, shape (1, dim), to others, float64, as sums of squared differences."""
    if issparse(others):
        repeated = text[np.zeros(others.shape[0], dtype=int)]
        return np.asarray((others.astype(np.float64) - repeated).power(2).sum(axis=1)).ravel()
    return cdist(text, others, "sqeuclidean")[0]
