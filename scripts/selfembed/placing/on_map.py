"""Positions and nearest texts of new texts on a map whose own texts stay where they are."""

import numpy as np
from openTSNE import TSNEEmbedding
from openTSNE.affinity import Affinities, joint_probabilities_nn
from scipy.linalg import orthogonal_procrustes
from scipy.sparse import csr_matrix

from selfembed.maps.nearest_texts import COUNT, nearest_others
from selfembed.scores import neighbors


class ExactAffinities(Affinities):
    """Affinities of new texts to those of a map, by exact nearest neighbours (Euclidean, as in the map).

    openTSNE's own classes would search the neighbours of the texts of the map again, and approximately.
    """

    def __init__(self, vectors: np.ndarray, threads: int) -> None:
        super().__init__()
        self.vectors = vectors
        self.threads = threads
        self.P = csr_matrix((len(vectors), len(vectors)))  # of the map, which is not optimised

    def to_new(self, data: np.ndarray, perplexity: float = 5, return_distances: bool = False):
        """Return the affinities, shape (new texts, texts), and with `return_distances` neighbours and distances."""
        count = min(len(self.vectors), int(3 * perplexity))
        found = neighbors.nearest(self.vectors, data, count)
        distances = np.sqrt(distances_to(self.vectors, data, found))
        affinities = joint_probabilities_nn(
            found,
            distances,
            [min(perplexity, count / 3)],
            symmetrize=False,
            normalization="point-wise",
            n_reference_samples=len(self.vectors),
            n_jobs=self.threads,
        )
        return (affinities, found, distances) if return_distances else affinities


def distances_to(vectors: np.ndarray, texts: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Return the squared distances of each text to the vectors at some positions, float64, the shape of `found`."""
    rows = [neighbors.squared_distances(texts[[row]], vectors[columns]) for row, columns in enumerate(found)]
    return np.array(rows).reshape(found.shape)


def place(vectors: np.ndarray, positions: np.ndarray, new: np.ndarray, *, threads: int) -> np.ndarray:
    """Return positions of new texts on a t-SNE map.

    openTSNE's `transform` with its defaults (Poličar et al. 2023, doi:10.1007/s10994-021-06043-1): each text begins at
    the median position of its 15 nearest texts and is attracted by them (perplexity 5) and repelled by all texts of the
    map. New texts do not act on each other, so the position of a text does not depend on other new texts.

    Args:
        vectors: embeddings of the texts of the map, shape (texts, dim).
        positions: their positions, shape (texts, 2); they do not change.
        new: embeddings of the new texts, shape (new texts, dim).

    Returns float64, shape (new texts, 2).
    """
    # By default, the method depends on the number of new texts, and with it the last digits of positions.
    how = {"negative_gradient_method": "bh", "n_jobs": threads}
    known = TSNEEmbedding(positions, ExactAffinities(vectors, threads), **how)
    centre = (positions.max(axis=0) + positions.min(axis=0)) / 2  # `transform` centres the map
    return np.asarray(known.transform(new)) + centre


def nearest(known: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Return the nearest texts of all texts when new ones are added, as `nearest_texts` finds them among all.

    Only similarities to new texts are computed.

    Args:
        known: nearest texts of the old texts among themselves, nearest first, shape (old texts, any).
        vectors: embeddings of old texts, then of new ones, of unit length, shape (texts, dim).

    Returns int32, shape (texts, 10).
    """
    old = len(known)
    added = old + neighbors.nearest(vectors[old:], vectors[:old], min(COUNT, len(vectors) - old))
    candidates = np.hstack([known, added])
    order = np.argsort(distances_to(vectors, vectors[:old], candidates), axis=1, kind="stable")
    of_old = np.take_along_axis(candidates, order, axis=1)[:, :COUNT]
    return np.vstack([of_old, nearest_others(vectors, old, COUNT)]).astype(np.int32)


def similarity(vectors: np.ndarray, texts: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the cosine similarity of each text to another one, float64, shape (texts,).

    Args:
        vectors, texts: embeddings of unit length, shapes (any, dim) and (texts, dim).
        others: position of the other text in `vectors`, shape (texts,).
    """
    return np.einsum("ij,ij->i", vectors[others], texts, dtype=np.float64)


def as_in_page(positions: np.ndarray, rows: np.ndarray, first: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Return the positions of all texts as the page of the map shows them: rotated to match its first map.

    A new text outside the rectangle of the old ones that are shown is moved to its edge: the page is scaled to its
    texts, and old ones stay where they are.

    Args:
        positions, first: the map and the first map of the page, shape (texts, 2).
        rows: rows of the texts that the page shows.
        new: positions of the new texts on the map.
    """
    shown = positions[rows]
    centre = shown.mean(axis=0)
    rotation, _ = orthogonal_procrustes(shown - centre, first[rows] - first[rows].mean(axis=0))
    old, new = ((part - centre) @ rotation for part in (positions, new))
    return np.vstack([old, np.clip(new, old[rows].min(axis=0), old[rows].max(axis=0))])
