"""Clusters of embeddings, and their names."""

import numpy as np
import pandas as pd
import pytest
import small_texts_by_topic as topics
from hypothesis import given
from hypothesis import strategies as st

import name_clusters
from selfembed.errors import InputError
from selfembed.jobs.records import write_json
from selfembed.maps import clusters


def purity(found: np.ndarray, truth: np.ndarray) -> float:
    """Part of the texts that are of their cluster's most frequent topic."""
    return pd.crosstab(found, truth).max(axis=1).sum() / len(truth)


def test_known_topics_are_found_and_called_by_their_words():
    texts, truth = topics.texts(300)
    found = clusters.cluster(topics.embeddings(truth), len(topics.WORDS))
    assert purity(found, truth) == 1
    table = clusters.describe(texts, found)
    assert table["texts"].tolist() == np.bincount(found).tolist()
    for number, name in table[["cluster", "name"]].itertuples(index=False):
        own = set(topics.WORDS[truth[found == number][0]])
        assert set(name.split(", ")) <= own, name


def test_clusters_are_the_same_again_and_large_ones_come_first():
    _, truth = topics.texts(200)
    vectors = topics.embeddings(truth, noise=0.8)
    first, again = (clusters.cluster(vectors, 7) for _ in range(2))
    assert np.array_equal(first, again)
    sizes = np.bincount(first)
    assert (np.diff(sizes) <= 0).all()


def test_a_shared_direction_of_all_embeddings_changes_no_cluster():
    """As the embeddings of a language model that is not fine-tuned have it."""
    _, truth = topics.texts(200)
    vectors = topics.embeddings(truth) + 50
    assert purity(clusters.cluster(vectors, len(topics.WORDS)), truth) == 1


def test_centres_of_a_sample_give_every_text_a_cluster(monkeypatch):
    monkeypatch.setattr(clusters, "SAMPLE", 60)
    texts, truth = topics.texts(400)
    found = clusters.cluster(topics.embeddings(truth), len(topics.WORDS))
    assert len(found) == 400 and purity(found, truth) == 1
    assert clusters.describe(texts, found)["texts"].sum() == 400


def test_fewer_clusters_where_fewer_embeddings_differ():
    vectors = np.repeat(np.eye(3), 5, axis=0)
    assert set(clusters.cluster(vectors, 6)) == {0, 1, 2}
    assert set(clusters.cluster(np.ones((12, 4)), 5)) == {0}


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (np.ones((9, 2)), "9 texts are too few for clusters; expected: at least 10"),
        (np.full((10, 2), np.nan), "embeddings contain NaN or infinity; expected: finite numbers"),
    ],
)
def test_what_cannot_be_clustered_is_told_in_a_line(vectors, message):
    with pytest.raises(InputError, match=message):
        clusters.cluster(vectors, 2)


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_the_number_of_clusters_grows_with_the_corpus_and_stays_drawable(one, other):
    fewer, more = (clusters.number_of_clusters(texts) for texts in sorted((one, other)))
    assert 2 <= fewer <= more <= 50


def test_the_documented_numbers_of_clusters():
    assert [clusters.number_of_clusters(texts) for texts in (50, 1_000, 10_000, 1_000_000)] == [6, 15, 32, 50]


words = st.sampled_from(
    ["graph", "graphs", "node", "the", "and", "42", "naïve", "😀", "<b>", "https://graph.org/x", ""]
)


@given(st.lists(st.tuples(st.lists(words).map(" ".join), st.integers(0, 3)), min_size=4, max_size=30))
def test_names_are_unique_and_one_per_cluster_whatever_the_texts(rows):
    texts = pd.Series([text for text, _ in rows])
    found = clusters.by_size(np.array([number for _, number in rows]))
    table = clusters.describe(texts, found)
    assert table["cluster"].tolist() == list(range(found.max() + 1))
    assert table["name"].is_unique and (table["name"] != "").all()
    said = {word for name in table["name"] for word in name.split(", ")}
    assert not said & {"the", "and", "42", "https", "org"}


@given(st.lists(st.integers(-5, 5), min_size=1))
def test_renumbering_by_size_keeps_the_groups(labels):
    found = clusters.by_size(np.array(labels))
    assert len(set(zip(labels, found.tolist(), strict=True))) == len(set(labels)) == len(set(found.tolist()))
    assert (np.diff(np.bincount(found)) <= 0).all()


def test_words_with_other_endings_are_one_word():
    assert clusters.distinct(["network", "networks", "neural", "graph", "graphs", "networking", "edge", "x"]) == [
        "network",
        "neural",
        "graph",
        "edge",
    ]


def test_a_class_tf_idf_by_hand():
    """Two clusters of two texts; `tree` is in both, `oak` and `elm` in one each; a word counts once per text."""
    texts = pd.Series(["oak tree tree", "oak", "elm tree", "elm"])
    ranked = clusters.ranked_words(texts, np.array([0, 0, 1, 1]), 2)
    assert ranked == [["oak", "tree"], ["elm", "tree"]]


def test_the_script_writes_clusters_and_names(tmp_path):
    texts, truth = topics.texts(120)
    folder = tmp_path / "embeddings"
    folder.mkdir()
    np.save(folder / "embeddings.npy", topics.embeddings(truth)[None, None].astype(np.float32))
    write_json({"poolings": ["mean"], "layers": [2], "last_layer": 2}, folder / "embeddings.json")
    corpus = pd.DataFrame({"id": [f"t{row}" for row in range(120)], "text": texts, "label": None, "title": None})
    corpus.to_parquet(tmp_path / "corpus.parquet")
    words = ["--embeddings", str(folder), "--corpus", str(tmp_path / "corpus.parquet"), "--clusters", "4"]
    outputs = [tmp_path / "clusters.parquet", tmp_path / "names.csv"]
    before = []
    for _ in range(2):
        name_clusters.main([*words, "--output", str(outputs[0]), "--names", str(outputs[1])])
        before.append([path.read_bytes() for path in outputs])
    assert before[0] == before[1]
    table = pd.read_parquet(outputs[0])
    assert table["id"].tolist() == corpus["id"].tolist()
    assert set(table["cluster"]) == set(pd.read_csv(outputs[1])["cluster"]) == {0, 1, 2, 3}
