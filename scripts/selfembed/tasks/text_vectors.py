"""Vectors of the different texts of tasks: every text is embedded once, in all layers and poolings."""

import shutil
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import numpy as np

from selfembed.embeddings import vectors

Embed = Callable[[list[str], Path], None]


class TextVectors:
    """Vectors of texts, computed when they are first asked for and kept in scratch files."""

    def __init__(self, embed: Embed, poolings: int, layers: int, dim: int, scratch: Path) -> None:
        """Create an empty store.

        Args:
            embed: writes the vectors of texts into the array of a folder (`vectors.create`).
            scratch: folder for the vectors; what it contains is deleted.
        """
        self.embed = embed
        self.shape = poolings, layers, dim
        self.scratch = scratch
        self.clear()

    def clear(self) -> None:
        """Forget all texts and delete their vectors."""
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        self.rows: dict[bytes, int] = {}
        self.starts: list[int] = []  # first row of every scratch file
        self.n_texts = 0

    @property
    def size(self) -> int:
        """Size of the vectors in bytes."""
        return self.n_texts * int(np.prod(self.shape)) * np.dtype(np.float32).itemsize

    def add(self, texts: dict[bytes, str]) -> None:
        """Embed the texts, by key, that are not in the store, in one pass."""
        new = {key: text for key, text in texts.items() if key not in self.rows}
        if not new:
            return
        poolings, layers, dim = self.shape
        file = self.file(len(self.starts))
        file.mkdir()
        vectors.create(file, poolings, layers, len(new), dim)
        self.embed(list(new.values()), file)
        self.starts.append(self.n_texts)
        self.rows |= dict(zip(new, range(self.n_texts, self.n_texts + len(new)), strict=True))
        self.n_texts += len(new)

    def look_up(self, texts: list[str], pooling: int, layer: int) -> np.ndarray:
        """Return the vectors of texts, float32, shape (texts, dim).

        Args:
            pooling, layer: positions in the lists of poolings and layers.
        """
        keys = [key_of(text) for text in texts]
        self.add(dict(zip(keys, texts, strict=True)))
        rows = np.array([self.rows[key] for key in keys], dtype=np.int64)
        files = np.searchsorted(self.starts, rows, side="right") - 1
        found = np.empty((len(texts), self.shape[-1]), dtype=np.float32)
        for number in np.unique(files):
            here = files == number
            stored = np.load(self.file(number) / "embeddings.npy", mmap_mode="r")
            found[here] = stored[pooling, layer][rows[here] - self.starts[number]]
        return found

    def file(self, number: int) -> Path:
        """Folder of the vectors of the texts that were added together."""
        return self.scratch / str(number)


def key_of(text: str) -> bytes:
    """Return a short key of a text; keys of different texts are different."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
