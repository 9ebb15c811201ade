"""Nearest texts of every text of a map, in the embedding space: not on the map, which keeps few neighbours."""

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.preprocessing import normalize

from selfembed.scores import neighbors

COUNT = 10  # per text


def nearest_texts(vectors: np.ndarray | csr_matrix, count: int = COUNT) -> np.ndarray:
    """Return the positions of the texts with the largest cosine similarity to each text, without the text itself.

    The search is exact; ties are in the order of the texts.

    Args:
        vectors: embeddings, shape (texts, dim), dense or CSR; finite.
        count: number of neighbours; fewer if there are not as many other texts.

    Returns int32, shape (texts, count), nearest first.
    """
    return nearest_others(normalize(vectors), 0, count).astype(np.int32)


def nearest_others(vectors: np.ndarray | csr_matrix, start: int, count: int) -> np.ndarray:
    """Return the nearest other texts of the texts from position `start` on, int64; `vectors` are of unit length."""
    texts = vectors.shape[0]
    count = min(count, texts - 1)
    found = neighbors.nearest(vectors, vectors[start:], count + 1)
    is_itself = found == np.arange(start, texts)[:, None]
    # Of more than `count` texts with the same embedding, the first ones are found and may not include the text.
    is_itself[~is_itself.any(axis=1), -1] = True
    return found[~is_itself].reshape(texts - start, count)
