"""What is done to embeddings before neighbours are searched: nothing, centring, whitening."""

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.decomposition import PCA

from selfembed.errors import InputError

TRANSFORMS = ("none", "centred", "whitened")


def transform(embeddings: np.ndarray | csr_matrix, how: str) -> np.ndarray | csr_matrix:
    """Centre embeddings (subtract their mean) or whiten them (PCA, all components, unit variance), as the paper does.

    Mean and components come from all given texts, test texts included.

    Args:
        embeddings: shape (texts, dim); whitening needs at least as many texts as dimensions to keep all of them.

    Raises InputError if sparse vectors are to be transformed.
    """
    if how == "none":
        return embeddings
    if issparse(embeddings):
        raise InputError(f"sparse vectors (TF-IDF) cannot be {how}; expected: transform none")
    if how == "centred":
        return embeddings - embeddings.mean(axis=0)
    return PCA(whiten=True, svd_solver="full").fit_transform(embeddings)
