"""Similarities of many vectors at once, in single precision and with a bound of their error.

For test texts x and training texts y they are x·y - |y|²/2: the larger, the nearer.
"""

from typing import Protocol

import numpy as np
from scipy.sparse import csr_matrix, issparse

Vectors = np.ndarray | csr_matrix

UNIT_ROUNDOFF = 2.0**-24  # of single precision


class Products(Protocol):
    """Similarities of some test texts and all training texts.

    Attributes:
        error: how far a test text's similarities can be off, float64, shape (test texts,).
    """

    error: np.ndarray

    def similarities(self, block: slice) -> np.ndarray:
        """Those of a block of test texts, float32, shape (block, training texts); good until the next call."""


class DenseProducts:
    """Similarities of dense vectors, centred first, which changes no distance and makes errors small."""

    def __init__(self, train: np.ndarray, test: np.ndarray) -> None:
        mean = train.mean(axis=0, dtype=np.float64).astype(train.dtype)
        self.train, self.test = ((vectors - mean).astype(np.float32, copy=False) for vectors in (train, test))
        norms = squared_norms(self.train)
        self.half_norms = (norms / 2).astype(np.float32)
        self.error = error_bound(train.shape[1], squared_norms(self.test), norms)
        self.memory: np.ndarray | None = None  # fresh memory for every block would cost a quarter of the time

    def similarities(self, block: slice) -> np.ndarray:
        """Those of a block of test texts, float32, shape (block, training texts); good until the next call."""
        test = self.test[block]
        if self.memory is None or len(self.memory) < len(test):
            self.memory = np.empty((len(test), len(self.train)), dtype=np.float32)
        found = np.matmul(test, self.train.T, out=self.memory[: len(test)])
        found -= self.half_norms
        return found


def squared_norms(vectors: Vectors) -> np.ndarray:
    """Squared Euclidean norms of rows, float64, shape (texts,)."""
    if issparse(vectors):
        return np.asarray(vectors.astype(np.float64).power(2).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)


def error_bound(terms: int, test_norms: np.ndarray, train_norms: np.ndarray) -> np.ndarray:
    """How far x·y - |y|²/2, a sum of so many terms, can be off in single precision; one for each x, from squared norms.

    A scalar product of n terms is off by at most n · u · |x| |y| (Higham, Accuracy and Stability of Numerical
    Algorithms, 2nd edition, section 3.1); the rounding of vectors and norms adds less than 4 · u · (|x| + |y|)² / 2.
    """
    return (terms + 4) * UNIT_ROUNDOFF * (np.sqrt(test_norms) + np.sqrt(train_norms.max())) ** 2 / 2
