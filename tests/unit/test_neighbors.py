"""Nearest-neighbour accuracy against scikit-learn's classifier."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.neighbors import KNeighborsClassifier

from selfembed import neighbors
from selfembed.errors import InputError


def random_case(seed: int):
    """Training and test vectors with labels; every second case is on a coarse grid, so distances tie."""
    generator = np.random.default_rng(seed)
    n_train, n_test, dim = generator.integers(10, 120), generator.integers(1, 30), generator.integers(1, 12)
    if seed % 2:
        vectors = generator.integers(0, 3, (n_train + n_test, dim)).astype(np.float64)
    else:
        vectors = generator.normal(size=(n_train + n_test, dim)).astype(np.float32)
    labels = generator.choice(np.array(["b", "a", "d", "c"])[: generator.integers(1, 5)], n_train)
    return vectors[:n_train], labels, vectors[n_train:], int(generator.integers(1, 11))


@pytest.mark.parametrize("block", range(10))
def test_equals_scikit_learn_prediction_by_prediction(block):
    """1,000 random cases, half of them with tied distances; an even k and few classes tie votes too."""
    for seed in range(100 * block, 100 * block + 100):
        train, labels, test, k = random_case(seed)
        reference = KNeighborsClassifier(k, algorithm="brute").fit(train, labels).predict(test)
        assert (neighbors.predict(train, labels, test, k) == reference).all(), f"case {seed}"


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_sparse_and_metric_equal_scikit_learn(metric):
    generator = np.random.default_rng(3)
    dense = generator.random((300, 40)) * (generator.random((300, 40)) < 0.2) + 1e-3
    labels = generator.choice(list("abc"), 250)
    reference = KNeighborsClassifier(10, algorithm="brute", metric=metric).fit(dense[:250], labels).predict(dense[250:])
    sparse = csr_matrix(dense)
    assert (neighbors.predict(dense[:250], labels, dense[250:], 10, metric) == reference).all()
    assert (neighbors.predict(sparse[:250], labels, sparse[250:], 10, metric) == reference).all()


@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=20))
def test_vote_is_the_smallest_most_frequent_class(rows):
    voted = neighbors.vote(np.array(rows), n_classes=5)
    assert list(voted) == [min(range(5), key=lambda label: (-row.count(label), label)) for row in rows]


def test_vote_ties_go_to_the_label_that_sorts_first():
    train = np.array([[0.0], [1.0], [2.0], [3.0]])
    assert neighbors.predict(train, np.array(["z", "a", "z", "a"]), np.array([[1.5]]), k=4) == ["a"]


def test_too_few_texts_is_one_clear_line():
    with pytest.raises(
        InputError, match=r"^4 labelled training texts are too few for k = 10 neighbours; allowed: up to 4$"
    ):
        neighbors.predict(np.zeros((4, 2)), np.array(list("aabb")), np.zeros((1, 2)))
