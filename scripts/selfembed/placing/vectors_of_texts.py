"""Vectors of texts by the model of a map. A text is embedded once: its vector is stored by its content.

`placed/vectors/{model and settings}/` has a prepared corpus (`{texts}.parquet`) and its embeddings (`{texts}/`) for
every time that texts were embedded. The names are checksums of what they stand for.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from selfembed.embeddings import vectors
from selfembed.jobs import seals
from selfembed.jobs.command_line import exit_status, log
from selfembed.placing.finished_map import FinishedMap
from selfembed.study import files
from selfembed.texts import corpora


def of_map(found: FinishedMap) -> np.ndarray:
    """Return the vectors of the texts of a map, float32, shape (texts, dim); embed them again if they were removed."""
    if found.embeddings.exists():
        return vectors.load_last_layer(seals.opened(found.embeddings), len(found.corpus))
    log.info("%s was removed: the texts of the map are embedded again, once", found.embeddings)
    return of(found.corpus, found)


def of(corpus: pd.DataFrame, found: FinishedMap) -> np.ndarray:
    """Return the vectors of texts, float32, shape (texts, dim); embed those that have no stored vector.

    An interrupted job resumes after its last block of texts.

    Raises SystemExit with the status of `embed.py` if it fails.
    """
    made_by = [seals.recorded(found.model), *found.flags[: found.flags.index("--device")]]
    folder = found.folder / "vectors" / corpora.text_id("\n".join(made_by))
    stored = read(folder)
    missing = corpus[~corpus["text"].isin(stored)]
    log.info("%d texts, of which %d have no vector yet", len(corpus), len(missing))
    if len(missing):
        block = folder / corpora.text_id("\n".join(missing["text"]))
        # Without a seal: it would name the file of the texts, which may grow, but vectors depend on texts alone.
        folder.mkdir(parents=True, exist_ok=True)
        missing[corpora.COLUMNS].to_parquet(block.with_suffix(".parquet"), index=False)
        embed(block, found)
        stored = read(folder)
    return np.stack([stored[text] for text in corpus["text"]])


def embed(block: Path, found: FinishedMap) -> None:
    """Embed a stored corpus with the script of the step `embed`, so that vectors are made in one way alone."""
    command = [sys.executable, str(files.CHECKOUT / "scripts" / "embed.py"), "--model", str(found.model)]
    command += ["--corpus", str(block.with_suffix(".parquet")), *found.flags, "--output", str(block)]
    done = subprocess.run(command)
    if done.returncode:
        sys.exit(exit_status(done.returncode))


def read(folder: Path) -> dict[str, np.ndarray]:
    """Return all stored vectors by their text."""
    stored: dict[str, np.ndarray] = {}
    for path in sorted(folder.glob("*.parquet")):
        block = path.with_suffix("")
        if block.exists():  # otherwise its job was interrupted
            texts = corpora.read_corpus(seals.opened(path))["text"]
            stored |= zip(texts, vectors.load_last_layer(seals.opened(block), len(texts)), strict=True)
    return stored
