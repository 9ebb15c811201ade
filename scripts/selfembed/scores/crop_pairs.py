"""Measures without labels on pairs of crops: retrieval of the other crop, alignment and uniformity.

Pairs of titles and texts are scored in the same way: the title is the first crop here, the text the second.

All vectors are scaled to unit length; zero vectors are kept. Alignment and uniformity follow Wang and Isola,
"Understanding contrastive representation learning through alignment and uniformity on the hypersphere" (ICML 2020,
arXiv:2005.10242), section 4.1, with alpha = 2 and t = 2.
"""

import argparse
from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, issparse, vstack
from sklearn.preprocessing import normalize
from sklearn.utils import gen_batches
from sklearn.utils.extmath import safe_sparse_dot

from selfembed.errors import InputError, reword_errors
from selfembed.jobs.command_line import log
from selfembed.scores import scoring
from selfembed.texts.corpora import read_corpus

BLOCK = 2**24  # similarities computed at once: 128 MiB
TIE = 1e-12  # tolerance for equal cosines; exceeds the rounding error of a product of unit vectors in double precision
T = 2  # parameter t of uniformity


def write(arguments: argparse.Namespace, kind: str, names: Mapping[str, str]) -> None:
    """Write score rows and outcomes of each pooling and layer in an embeddings folder.

    Args:
        arguments: arguments of `scoring.add_arguments`, and the number of `threads`.
        kind: `crops` or `titles`, the type of the corpus.
        names: what `outcomes` calls each measure, by its name.

    Raises InputError if the corpus has another type, or if embeddings contain NaN or infinity.
    """
    corpus = read_corpus(arguments.corpus)
    ids, sides = corpus["id"].to_numpy(), corpus["text"].to_numpy()
    with reword_errors(arguments.corpus, InputError):
        texts, first, second = positions(ids, kind)
    shared = shared_crops(np.concatenate([sides[first], sides[second]]))
    if with_twin := np.diff(shared.indptr).astype(bool).sum():
        log.warning("%d of %d texts have one side of their pair in another pair, too", with_twin, len(texts))

    def measure(embeddings: scoring.Vectors) -> dict[str, np.ndarray]:
        found = outcomes(embeddings[first], embeddings[second], shared)
        return {name: found[outcome] for name, outcome in names.items()}

    every_row = np.full(len(ids), True)
    settings, facts = {"similarity": "cosine"}, {"n_test": len(texts)}
    scoring.write_scores(arguments, settings, names, measure, every_row, texts, facts)


def positions(ids: np.ndarray, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the ids of the texts, and the rows of their first and second crops, each of shape (texts,).

    Args:
        ids: ids of the crops, alternating `{text}/0` and `{text}/1`, shape (2 × texts,).
        kind: `crops` or `titles`, for the error message.

    Raises InputError if the ids are not those of pairs, or of fewer than two texts.
    """
    parts = [str(name).rpartition("/") for name in ids]
    texts = [text for text, _, _ in parts]
    valid = [crop for _, _, crop in parts] == ["0", "1"] * (len(ids) // 2) and texts[::2] == texts[1::2]
    if not valid or len(texts) < 4:
        raise InputError(
            f"not a corpus of {kind}: ids do not alternate {{text}}/0 and {{text}}/1; expected: type {kind}"
        )
    rows = np.arange(len(ids))
    return np.array(texts[::2], dtype=object), rows[::2], rows[1::2]


def shared_crops(crops: np.ndarray) -> csr_matrix:
    """Return which texts have a crop that is identical to a crop of another text.

    Args:
        crops: the first crops of all texts, then the second ones: strings, shape (2 × texts,).

    Returns a Boolean matrix, shape (texts, distinct crops), with entries only for crops of several texts.
    """
    number, texts = len(crops) // 2, np.tile(np.arange(len(crops) // 2), 2)
    groups, distinct = pd.factorize(crops)
    found = csr_matrix((np.ones(len(crops), dtype=bool), (texts, groups)), shape=(number, len(distinct)))
    several = np.asarray(found.sum(axis=0)).ravel() > 1
    shared = found.multiply(several).tocsr().astype(bool)
    shared.eliminate_zeros()  # `multiply` stores the others as False
    return shared


def outcomes(
    first: np.ndarray | csr_matrix, second: np.ndarray | csr_matrix, shared: csr_matrix | None = None
) -> dict[str, np.ndarray]:
    """Compute the outcomes of each measure; the value of a measure is the mean over texts.

    Each first crop is a query for the second crops of all texts by cosine similarity, and vice versa; results of both
    directions are averaged. The correct crop ranks last among ties, so constant embeddings get the lowest recall.
    Twins, texts with an identical crop, are not candidates for each other's queries: no model can tell them apart.

    Args:
        first, second: embeddings of the two crops of each text, shape (texts, dim), both dense or both CSR.
        shared: crops of several texts, see `shared_crops`; by default, there are none.

    Returns float64 arrays of shape (texts,): `recall@1`, `recall@10` and `mrr` of the rank of the correct crop;
    `alignment`, the squared distance of the two crops; `uniformity`, see `shares_of_uniformity`.
    """
    n_texts = first.shape[0]
    crops = vstack([first, second], format="csr") if issparse(first) else np.concatenate([first, second])
    crops = normalize(crops.astype(np.float64))
    norms = np.asarray(crops.power(2).sum(axis=1)).ravel() if issparse(crops) else np.einsum("ij,ij->i", crops, crops)
    ranks, kernels = np.empty(2 * n_texts), np.empty(2 * n_texts)
    for batch in gen_batches(2 * n_texts, max(1, BLOCK // (2 * n_texts))):
        rows = np.arange(2 * n_texts)[batch]
        cosines = safe_sparse_dot(crops[rows], crops.T, dense_output=True)
        ranks[rows] = ranks_of_other_crop(cosines, rows, n_texts, shared)
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


def ranks_of_other_crop(cosines: np.ndarray, rows: np.ndarray, n_texts: int, shared: csr_matrix | None) -> np.ndarray:
    """Return the rank, from 1, of each query's other crop among the candidates.

    Args:
        cosines: similarities of the queries to all crops, shape (queries, 2 × texts); the first crops of all texts come
            before the second ones.
        rows: positions of the queries among all crops.
        shared: crops of several texts, see `shared_crops`.
    """
    others = (rows + n_texts) % (2 * n_texts)
    reached = cosines >= cosines[np.arange(len(rows)), others][:, None] - TIE
    if shared is not None and shared.nnz:
        twins = (shared[rows % n_texts] @ shared.T).toarray()
        twins[np.arange(len(rows)), rows % n_texts] = False  # its own text
        reached &= ~np.hstack([twins, twins])
    return np.where(rows < n_texts, reached[:, n_texts:].sum(axis=1), reached[:, :n_texts].sum(axis=1))


def mean_kernel(squared_distances: np.ndarray, rows: np.ndarray, n_texts: int) -> np.ndarray:
    """Mean of exp(-t · squared distance) from the crops in `rows` to all crops of other texts, shape (rows,).

    Args:
        squared_distances: shape (rows, 2 × texts); modified in place.
    """
    kernel = np.exp(np.multiply(squared_distances, -T, out=squared_distances), out=squared_distances)
    for offset in (0, n_texts):
        kernel[np.arange(len(rows)), (rows + offset) % (2 * n_texts)] = 0
    return kernel.sum(axis=1) / (2 * n_texts - 2)


def shares_of_uniformity(kernels: np.ndarray) -> np.ndarray:
    """Return one value per text; their mean is the uniformity.

    Uniformity is the logarithm of a mean over pairs of texts, which is not a mean over texts. Each share is the value
    plus the text's influence on it, from the projection of the mean over pairs on single texts (Hoeffding 1948; van der
    Vaart, Asymptotic Statistics, sections 12.1 and 3.1). To first order, uniformity has the error of their mean.

    Args:
        kernels: mean kernel of each text with the others, shape (texts,).
    """
    mean = kernels.mean()
    return np.log(mean) + 2 * (kernels - mean) / mean
