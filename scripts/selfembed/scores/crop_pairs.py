"""Evidence without labels: whether the other crop of a text can be found from one, and where crops lie.

All vectors are scaled to unit length (a vector of zeros stays one). Alignment and uniformity are those of Wang and
Isola, "Understanding contrastive representation learning through alignment and uniformity on the hypersphere" (ICML
2020, arXiv:2005.10242), section 4.1, with alpha = 2 and t = 2.
"""

import numpy as np
from scipy.sparse import csr_matrix, issparse, vstack
from sklearn.preprocessing import normalize

from selfembed.errors import InputError

BLOCK = 2**24  # similarities at a time: 128 MiB
TIE = 1e-12  # cosines this near are equal: more than rounding does to a product of unit vectors in double precision
T = 2  # of uniformity


def positions(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Texts of a corpus of crops, and the rows of their first and second crops.

    Args:
        ids: of the crops, `{text}/0` and `{text}/1` in turns, shape (2 × texts,).

    Returns ids of the texts and two arrays of row positions, each of shape (texts,).

    Raises InputError if these are no ids of crops.
    """
    words = [str(name).rpartition("/") for name in ids]
    texts = [text for text, _, _ in words]
    as_made = [crop for _, _, crop in words] == ["0", "1"] * (len(ids) // 2) and texts[::2] == texts[1::2]
    if not as_made or len(texts) < 4:
        raise InputError("not a corpus of crops: its ids are not {text}/0, {text}/1 in turns; expected: type crops")
    rows = np.arange(len(ids))
    return np.array(texts[::2], dtype=object), rows[::2], rows[1::2]


def outcomes(first: np.ndarray | csr_matrix, second: np.ndarray | csr_matrix) -> dict[str, np.ndarray]:
    """What every text adds to each measure, whose value is the mean over texts.

    A crop is looked for among the crops of the other kind of all texts, by cosine similarity; both directions count
    half. Of equally similar crops the right one is taken to come last, so that a model that cannot tell texts apart
    finds nothing.

    Args:
        first, second: embeddings of the two crops of every text, shape (texts, dim), both dense or both CSR.

    Returns, each float64 of shape (texts,): `recall@1`, `recall@10` and `mrr` of the rank of the right crop;
    `alignment`, the squared distance of the two crops; `uniformity`, see `shares_of_uniformity`.
    """
    n_texts = first.shape[0]
    crops = unit_vectors(vstack([first, second], format="csr") if issparse(first) else np.concatenate([first, second]))
    norms = np.asarray(crops.power(2).sum(axis=1)).ravel() if issparse(crops) else np.einsum("ij,ij->i", crops, crops)
    ranks, kernels = np.empty(2 * n_texts), np.empty(2 * n_texts)
    size = max(1, BLOCK // (2 * n_texts))
    for start in range(0, 2 * n_texts, size):
        rows = np.arange(start, min(start + size, 2 * n_texts))
        cosines = crops[rows] @ crops.T
        cosines = cosines.toarray() if issparse(cosines) else cosines
        ranks[rows] = ranks_of_the_other(cosines, rows, n_texts)
        squared_distances = norms[rows, None] + norms - 2 * cosines
        kernels[rows] = mean_kernel(squared_distances, rows, n_texts)
    by_text = ranks.reshape(2, n_texts)
    apart = crops[:n_texts] - crops[n_texts:]
    squared = apart.power(2).sum(axis=1) if issparse(apart) else (apart**2).sum(axis=1)
    return {
        "recall@1": (by_text <= 1).mean(axis=0),
        "recall@10": (by_text <= 10).mean(axis=0),
        "mrr": (1 / by_text).mean(axis=0),
        "alignment": np.asarray(squared).ravel(),
        "uniformity": shares_of_uniformity(kernels.reshape(2, n_texts).mean(axis=0)),
    }


def unit_vectors(vectors: np.ndarray | csr_matrix) -> np.ndarray | csr_matrix:
    """Vectors of unit length in double precision."""
    return normalize(vectors.astype(np.float64))


def ranks_of_the_other(cosines: np.ndarray, rows: np.ndarray, n_texts: int) -> np.ndarray:
    """Rank of the right crop, from 1, among the crops of the other kind; equally similar ones come before it.

    Args:
        cosines: of some crops and all, shape (rows, 2 × texts): first all first crops, then all second ones.
        rows: which crops these are.
    """
    others = (rows + n_texts) % (2 * n_texts)
    reached = cosines >= cosines[np.arange(len(rows)), others][:, None] - TIE
    # The row's own kind is the other half: first crops look among second ones.
    is_first = rows < n_texts
    return np.where(is_first, reached[:, n_texts:].sum(axis=1), reached[:, :n_texts].sum(axis=1))


def mean_kernel(squared_distances: np.ndarray, rows: np.ndarray, n_texts: int) -> np.ndarray:
    """Mean of exp(-t · squared distance) of some crops to all crops of other texts, shape (rows,).

    Args:
        squared_distances: shape (rows, 2 × texts), changed in place.
    """
    kernel = np.exp(np.multiply(squared_distances, -T, out=squared_distances), out=squared_distances)
    for offset in (0, n_texts):
        kernel[np.arange(len(rows)), (rows + offset) % (2 * n_texts)] = 0
    return kernel.sum(axis=1) / (2 * n_texts - 2)


def shares_of_uniformity(kernels: np.ndarray) -> np.ndarray:
    """Every text's share of the uniformity, whose mean over texts it is.

    Uniformity is the logarithm of a mean over pairs of texts, so no text has a part of it. To first order, its error
    is that of the mean of these shares: the value plus each text's influence on it, from the projection of the mean
    over pairs on single texts (Hoeffding 1948; van der Vaart, Asymptotic Statistics, sections 12.1 and 3.1).

    Args:
        kernels: mean kernel of every text with the others, shape (texts,).
    """
    mean = kernels.mean()
    return np.log(mean) + 2 * (kernels - mean) / mean
