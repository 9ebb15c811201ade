"""Place the texts of a new file on the map of a finished study: a table and a page."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.preprocessing import normalize
from threadpoolctl import threadpool_limits

from selfembed.jobs.command_line import log
from selfembed.jobs.records import write_table, write_text
from selfembed.maps.nearest_texts import COUNT
from selfembed.maps.sampling import random_rows
from selfembed.pages import interactive_map
from selfembed.pages.interactive_map import Coloring
from selfembed.placing import finished_map, new_texts, on_map, vectors_of_texts
from selfembed.placing.finished_map import FinishedMap
from selfembed.scores import neighbors
from selfembed.texts.file_formats import without_compression

RARE = 0.05  # of the texts of the map are less similar to their nearest text
SAMPLE = 1000  # of them


def place(config: Path, path: Path, text: str | None) -> Iterator[str]:
    """Write `placed/{name of the file}.csv` and `.html` in the results of a study; yield lines on what was found.

    Args:
        path: file or folder with texts. Those that are on the map already are left out.
        text: column of texts, if it is not that of the corpus.

    Raises InputError if the study is not finished or the texts cannot be read.
    """
    found = finished_map.read(config)
    texts = new_texts.read(path, found.cleaning, text)
    new = texts[~texts["text"].isin(found.corpus["text"])].reset_index(drop=True)
    yield f"{len(texts):,} texts, of which {len(texts) - len(new):,} are on the map of {found.label} already"
    if new.empty:
        return
    old_vectors = vectors_of_texts.of_map(found)
    vectors = vectors_of_texts.of(new, found)
    log.info("placing %d texts on a map of %d", len(new), len(found.corpus))
    with threadpool_limits(found.threads):
        positions = on_map.place(old_vectors, found.positions, vectors, threads=found.threads)
        old_vectors, vectors = normalize(old_vectors), normalize(vectors)
        nearest = neighbors.nearest(old_vectors, vectors, min(COUNT, len(old_vectors)))
        in_page = on_map.nearest(found.neighbors, np.vstack([old_vectors[found.rows], vectors]))
        similarity = on_map.similarity(old_vectors, vectors, nearest[:, 0])
        unlike = unlike_the_map(similarity, old_vectors)
    clusters = found.clusters.iloc[nearest[:, 0]].reset_index(drop=True)
    ids = found.corpus["id"].to_numpy()
    table = new[["id", "text"]].assign(
        x=positions[:, 0],
        y=positions[:, 1],
        cluster=clusters,
        similarity=similarity.round(4),
        nearest=[json.dumps(ids[row].tolist(), ensure_ascii=False) for row in nearest],
    )
    file = path.resolve()
    name = file.name if file.is_dir() else without_compression(file).stem
    written, drawn = (found.folder / f"{name}{ending}" for ending in (".csv", ".html"))
    write_table(table, written)
    write_text(page(found, new, positions, clusters, in_page, file.name), drawn)
    yield unlike
    yield f"Table: {written}    Map: {drawn}"


def page(
    found: FinishedMap,
    new: pd.DataFrame,
    positions: np.ndarray,
    clusters: pd.Series,
    in_page: np.ndarray,
    name: str,
) -> str:
    """Return the page of the map with the new texts of a file, which have a colour of their own."""
    corpus = pd.concat([found.corpus, new], ignore_index=True)
    is_new = np.arange(len(corpus)) >= len(found.corpus)
    note = f"Texts of {name} at the places that texts like them have. No other text has moved."
    of_nearest = "Groups of texts of the map. A new text is in the group of its nearest text."
    colorings = [
        Coloring("New text", [name if is_one else None for is_one in is_new], note, rest="texts of the map"),
        Coloring("Cluster", pd.concat([found.clusters, clusters], ignore_index=True), of_nearest, on_map=True),
    ]
    if corpus["label"].notna().any():
        colorings.insert(1, Coloring("Label", corpus["label"]))
    rows = np.concatenate([found.rows, np.flatnonzero(is_new)])
    maps = {found.label: on_map.as_in_page(found.positions, found.rows, found.first, positions)}
    title = f"{found.title}, with {name}"
    neighbours = {found.label: in_page}
    return interactive_map.page(title, corpus, maps, neighbours, colorings, rows=rows, characters=found.characters)


def unlike_the_map(similarity: np.ndarray, vectors: np.ndarray) -> str:
    """Return a sentence that says how many new texts are unlike all texts of the map.

    A text is if it is less similar to its nearest text of the map than 95 % of a random sample of the texts of the map.

    Args:
        similarity: cosine similarity of each new text to its nearest text of the map.
        vectors: embeddings of the texts of the map, of unit length.
    """
    rows = random_rows(len(vectors), SAMPLE)
    second = neighbors.nearest(vectors, vectors[rows], 2)[:, 1]  # the first is the text itself
    least = np.quantile(on_map.similarity(vectors, vectors[rows], second), RARE)
    return (
        f"{(similarity < least).mean():.0%} of the {len(similarity):,} new texts are less similar to their nearest "
        f"text of the map than {1 - RARE:.0%} of its texts are to theirs (cosine < {least:.2f})"
    )
