"""Embeddings on disk: one folder per model, corpus and selection.

`embeddings.npy` holds a dense array, shape (poolings, layers, texts, dim); `embeddings.npz` a sparse matrix, shape
(texts, words). `embeddings.json` lists poolings, layers and provenance; for a diverged run it has the key `diverged`
and there are no vectors.
"""

import os
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, load_npz, save_npz

from selfembed.errors import InputError, first_line
from selfembed.jobs.records import read_json


def create(folder: Path, poolings: int, layers: int, texts: int, dim: int) -> None:
    """Create a file of zeros for the vectors of an encoder, float32, shape (poolings, layers, texts, dim)."""
    shape = (poolings, layers, texts, dim)
    np.lib.format.open_memmap(folder / "embeddings.npy", mode="w+", dtype=np.float32, shape=shape)
    with open(folder / "embeddings.npy", "r+b") as file:
        # A full disk raises an error here; writing to the memory map later would kill the process.
        os.posix_fallocate(file.fileno(), 0, os.fstat(file.fileno()).st_size)


def to_fill(folder: Path) -> np.memmap:
    """Open the created array as a memory map. Written pages stay in memory, so open it again for each block."""
    return np.load(folder / "embeddings.npy", mmap_mode="r+")


def merge(parts: list[Path], folder: Path) -> None:
    """Concatenate the vectors of parts of the texts, with the same poolings, layers and dim, one layer at a time."""
    shapes = [np.load(part / "embeddings.npy", mmap_mode="r").shape for part in parts]
    poolings, layers, _, dim = shapes[0]
    counts = [texts for _, _, texts, _ in shapes]
    create(folder, poolings, layers, sum(counts), dim)
    for place in np.ndindex(poolings, layers):
        for part, texts, stop in zip(parts, counts, np.cumsum(counts), strict=True):
            out = to_fill(folder)
            out[place][stop - texts : stop] = np.load(part / "embeddings.npy", mmap_mode="r")[place]
            out.flush()


def save(vectors: np.ndarray | csr_matrix, folder: Path) -> None:
    """Save the vectors of a bag of words, shape (texts, dim), as one pooling and one layer."""
    if isinstance(vectors, np.ndarray):
        np.save(folder / "embeddings.npy", vectors[None, None])
    else:
        save_npz(folder / "embeddings.npz", vectors)


def load(folder: Path, pooling: int, layer: int, rows: np.ndarray | slice) -> np.ndarray | csr_matrix:
    """Load the vectors of some texts.

    Args:
        pooling, layer: positions in the folder's lists of poolings and layers.
        rows: boolean mask of texts.

    Raises InputError if the folder has no vectors or another number of texts.
    """
    dense = folder / "embeddings.npy"
    try:
        if dense.is_file():
            return np.load(dense, mmap_mode="r", allow_pickle=False)[pooling, layer][rows]
        return load_npz(folder / "embeddings.npz")[rows]
    except Exception as error:  # any parser error
        again = "delete the folder and run snakemake again"
        raise InputError(f"{folder}: no embeddings of {len(rows)} texts: {first_line(error)}; {again}") from error


def load_last_layer(folder: Path, texts: int) -> np.ndarray | csr_matrix:
    """Load the vectors of all texts: last layer, first pooling.

    Raises InputError if the last layer was not embedded, or if the folder has no vectors or another number of texts.
    """
    facts = read_json(folder / "embeddings.json", "poolings", "layers", "last_layer")
    if facts["last_layer"] not in facts["layers"]:
        raise InputError(f"{folder}: the last layer was not embedded; expected: embeddings that include it")
    return load(folder, 0, facts["layers"].index(facts["last_layer"]), np.ones(texts, dtype=bool))
