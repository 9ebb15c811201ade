"""Transforms of embeddings before the neighbour search."""

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.decomposition import PCA

from selfembed.errors import InputError


def transform(embeddings: np.ndarray | csr_matrix, how: str) -> np.ndarray | csr_matrix:
    """Centre embeddings (subtract the mean) or whiten them (PCA, all components, unit variance), as in the paper.

    Mean and components are computed on all given texts, including test texts.

    Args:
        embeddings: shape (texts, dim); with fewer texts than dimensions, whitening returns fewer dimensions.
        how: `none`, `centred` or `whitened`.

    Raises InputError if `how` is not `none` and the vectors are sparse.
    """
    if how == "none":
        return embeddings
    if issparse(embeddings):
        raise InputError(f"sparse vectors (TF-IDF) cannot be {how}; expected: transform none")
    if how == "centred":
        return embeddings - embeddings.mean(axis=0)
    return PCA(whiten=True, svd_solver="full").fit_transform(embeddings)
