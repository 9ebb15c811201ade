"""TF-IDF vectors and their truncated SVD."""

from typing import Any

import numpy as np
from icu4py.breakers import WordBreaker
from scipy.sparse import csr_matrix
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from selfembed.errors import InputError, reword_errors


def words(text: str) -> list[str]:
    """Return the words of a text in any script by the rules and dictionaries of ICU; numbers count as words.

    >>> words("我们到了北京, v2.9!")
    ['我们', '到了', '北京', 'v2.9']
    """
    return [word for word in WordBreaker(text, "") if any(map(str.isalnum, word))]


TERMS: dict[str, dict[str, Any]] = {"words": {}, "unicode_words": {"tokenizer": words, "token_pattern": None}}


def embed(texts: list[str], *, components: int | None, normalise: bool, terms: str) -> np.ndarray | csr_matrix:
    """Compute TF-IDF vectors of texts, or their truncated SVD.

    Term frequency is sublinear; other parameters are the defaults of scikit-learn. Both are fitted on all given texts.

    Args:
        components: number of singular vectors; None for TF-IDF.
        normalise: scale the result of the SVD to unit length.
        terms: `words`: runs of two or more letters, digits and underscores; `unicode_words`: see `words`.

    Returns a CSR matrix, shape (texts, vocabulary), or a dense array, shape (texts, components); float64.

    Raises InputError if there are too few texts or words for the components.
    """
    # scikit-learn's "empty vocabulary"
    with reword_errors(f"TF-IDF of {len(texts)} texts", ValueError, expected="words of two letters or more"):
        vectors = TfidfVectorizer(sublinear_tf=True, **TERMS[terms]).fit_transform(texts)
    if components is None:
        return vectors
    if components >= min(vectors.shape):
        raise InputError(
            f"{components} SVD components need more than {min(vectors.shape)} texts and words; "
            f"expected: components up to {min(vectors.shape) - 1}"
        )
    # The seed, which is that of the paper, determines only the start vector of ARPACK.
    reduced = TruncatedSVD(n_components=components, algorithm="arpack", random_state=42).fit_transform(vectors)
    return normalize(reduced) if normalise else reduced
