"""Nearest texts of a map's texts: those of the project's exact search and of all distances, also in the page."""

import base64
import json
import re

import numpy as np
import pandas as pd
import pytest
import small_pages
from scipy.sparse import csr_matrix
from sklearn.preprocessing import normalize

import draw_interactive_map
import find_neighbors
from selfembed.embeddings import vectors
from selfembed.maps.nearest_texts import nearest_texts
from selfembed.maps.sampling import random_rows
from selfembed.scores import neighbors


def plain(embeddings, count):
    """Every cosine similarity; the text itself left out."""
    units = normalize(embeddings.astype(np.float64))
    similarity = units @ units.T
    np.fill_diagonal(similarity, -2)
    return np.argsort(-similarity, axis=1, kind="stable")[:, :count]


@pytest.mark.parametrize("texts", [11, 12, 300])
def test_they_are_the_texts_with_the_largest_cosine(texts):
    embeddings = np.random.default_rng(1).normal(size=(texts, 16)).astype(np.float32)
    found = nearest_texts(embeddings)
    assert found.dtype == np.int32 and found.shape == (texts, 10)
    assert (found == plain(embeddings, 10)).all()
    assert (nearest_texts(csr_matrix(embeddings)) == found).all()


def test_of_fewer_texts_all_others_are_neighbours():
    found = nearest_texts(np.random.default_rng(1).normal(size=(5, 4)))
    assert [sorted(row) for row in found.tolist()] == [
        [other for other in range(5) if other != text] for text in range(5)
    ]


def test_no_text_is_its_own_neighbour_even_if_many_are_the_same():
    embeddings = np.random.default_rng(1).normal(size=(4, 8))[np.repeat([0, 1, 2, 3], 25)]
    found = nearest_texts(embeddings)
    assert not (found == np.arange(100)[:, None]).any()
    assert (found // 25 == np.arange(100)[:, None] // 25).all()
    assert all(len(set(row)) == 10 for row in found.tolist())


@pytest.fixture
def study(tmp_path):
    """A corpus of 60 texts with embeddings of two models, and the maps and clusters of a page."""
    corpus = small_pages.corpus().assign(label=None)
    corpus.to_parquet(tmp_path / "corpus.parquet")
    for seed, (name, positions) in enumerate(small_pages.maps().items()):
        folder = tmp_path / f"embeddings_{name}"
        folder.mkdir()
        vectors.save(np.random.default_rng(seed).normal(size=(60, 12)).astype(np.float32), folder)
        facts = {"poolings": ["mean"], "layers": [1], "last_layer": 1}
        (folder / "embeddings.json").write_text(json.dumps(facts))
        corpus[["id"]].assign(x=positions[:, 0], y=positions[:, 1]).to_parquet(tmp_path / f"map_{name}.parquet")
    corpus[["id"]].assign(cluster=0).to_parquet(tmp_path / "clusters.parquet")
    pd.DataFrame({"cluster": [0], "name": ["all"], "texts": 60}).to_csv(tmp_path / "names.csv")
    return tmp_path


@pytest.mark.parametrize("points", [60, 25])
def test_neighbours_in_the_page_are_those_of_the_exact_search_among_its_texts(study, points):
    for name in small_pages.maps():
        given = f"--embeddings {study}/embeddings_{name} --corpus {study}/corpus.parquet --points {points}"
        find_neighbors.main([*given.split(), "--output", f"{study}/neighbors_{name}.parquet"])
    words = f"--maps {study}/map_Before.parquet {study}/map_After.parquet --models Before After --title Map"
    words += f" --neighbors {study}/neighbors_Before.parquet {study}/neighbors_After.parquet --points {points}"
    words += f" --corpus {study}/corpus.parquet --clusters {study}/clusters.parquet {study}/names.csv"
    draw_interactive_map.main([*words.split(), "--output", f"{study}/map.html"])
    page = (study / "map.html").read_text(encoding="utf-8")
    rows = random_rows(60, points)
    for number, name in enumerate(small_pages.maps()):
        block = re.search(f'id="neighbors-{number}">([^<]*)<', page)[1]
        found = np.frombuffer(base64.b64decode(block), dtype="<i4").reshape(points, 10)
        units = normalize(vectors.load_last_layer(study / f"embeddings_{name}", 60)[rows])
        exact = neighbors.nearest(units, units, 11)
        assert (exact[:, 0] == np.arange(points)).all(), "the text itself"
        assert (found == exact[:, 1:]).all()


def test_a_run_that_diverged_has_no_neighbours(study):
    path = study / "embeddings_After" / "embeddings.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"diverged": {"step": 3, "loss": None}}))
    given = f"--embeddings {study}/embeddings_After --corpus {study}/corpus.parquet --output {study}/found.parquet"
    find_neighbors.main(given.split())
    found = pd.read_parquet(study / "found.parquet")
    assert found["id"].tolist() == small_pages.corpus()["id"].tolist()
    assert found["neighbors"].isna().all()
