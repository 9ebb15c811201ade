"""Text vectors without an encoder: TF-IDF and its truncated SVD."""

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from selfembed.errors import InputError


def embed(texts: list[str], *, components: int | None, normalise: bool) -> np.ndarray | csr_matrix:
    """TF-IDF vectors of texts (sublinear term frequency, scikit-learn's defaults else), or their truncated SVD.

    The vocabulary and the singular vectors are fitted on all given texts.

    Returns a CSR matrix, shape (texts, vocabulary), or a dense array, shape (texts, components); float64.

    Raises InputError if there are too few texts or words for the components.
    """
    try:
        vectors = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    except ValueError as error:  # scikit-learn's "empty vocabulary"
        raise InputError(f"TF-IDF of {len(texts)} texts: {error}; expected: words of two letters or more") from error
    if components is None:
        return vectors
    if components >= min(vectors.shape):
        raise InputError(
            f"{components} SVD components need more than {min(vectors.shape)} texts and words; "
            f"expected: components up to {min(vectors.shape) - 1}"
        )
    # The seed is the paper's; it decides the start vector of the iteration only.
    reduced = TruncatedSVD(n_components=components, algorithm="arpack", random_state=42).fit_transform(vectors)
    return normalize(reduced) if normalise else reduced
