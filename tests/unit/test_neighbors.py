"""Nearest-neighbour accuracy against scikit-learn's classifier."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from threadpoolctl import threadpool_limits

from selfembed.errors import InputError
from selfembed.scores import neighbors


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


def plain(train, test, k):
    """Positions of the nearest training texts: every distance in float64, then a stable sort."""
    distances = ((test[:, None].astype(np.float64) - train[None].astype(np.float64)) ** 2).sum(axis=2)
    return np.argsort(distances, axis=1, kind="stable")[:, :k]


@pytest.mark.parametrize("block", range(10))
@threadpool_limits.wrap(limits=1)  # threads that wait for each other would take most of the time of so small cases
def test_equals_the_plain_way_and_scikit_learn(block):
    """1,000 random cases, half of them with tied distances, which scikit-learn orders as it likes."""
    for seed in range(100 * block, 100 * block + 100):
        train, labels, test, k = random_case(seed)
        expected = plain(train, test, k)
        assert (neighbors.nearest(train, test, k) == expected).all(), f"case {seed}"
        assert (neighbors.nearest(csr_matrix(train), csr_matrix(test), k) == expected).all(), f"case {seed}, sparse"
        if not seed % 2:
            reference = KNeighborsClassifier(k, algorithm="brute").fit(train, labels).predict(test)
            assert (neighbors.predict(train, labels, test, k=k, metric="euclidean") == reference).all(), f"case {seed}"


HARD = {
    "far from the origin": lambda g: g.normal(size=(500, 30)) + 300,
    "one direction": lambda g: g.normal(size=(500, 30)) * 1e-3 + g.normal(size=30),
    "repeated": lambda g: g.normal(size=(20, 30))[g.integers(0, 20, 500)],
    "all the same": lambda g: np.ones((500, 30)),
    "very different lengths": lambda g: g.normal(size=(500, 30)) * 10.0 ** g.integers(-4, 4, (500, 1)),
    "many zeros": lambda g: g.normal(size=(500, 30)) * (g.random((500, 30)) < 0.02),
}


@pytest.mark.parametrize("sizes", [{}, {"BLOCK": 7}, {"SPARE": 0}, {"SPARE": 1000}])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", HARD)
def test_hard_cases_equal_the_plain_way(case, dtype, sizes, monkeypatch):
    for name, size in sizes.items():
        monkeypatch.setattr(neighbors, name, size)
    vectors = HARD[case](np.random.default_rng(5)).astype(dtype)
    train, test = vectors[50:], vectors[:50]
    expected = plain(train, test, 10)
    assert (neighbors.nearest(train, test, 10) == expected).all()
    assert (neighbors.nearest(csr_matrix(train), csr_matrix(test), 10) == expected).all()


def test_frequent_and_rare_columns_equal_the_plain_way():
    """Like words: a few columns that most rows have, many that few have."""
    generator = np.random.default_rng(1)
    part = 1 / (1 + np.arange(400))
    vectors = generator.random((600, 400)) * (generator.random((600, 400)) < part)
    vectors[5] = 0
    found = neighbors.nearest(csr_matrix(vectors[60:]), csr_matrix(vectors[:60]), 10)
    assert (found == plain(vectors[60:], vectors[:60], 10)).all()


@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_errors_are_within_their_bound(kind):
    generator = np.random.default_rng(2)
    train, test = generator.normal(size=(300, 768)) + 100, generator.normal(size=(40, 768)) + 100
    exact = ((test[:, None] - train) ** 2).sum(axis=2)
    distances, positions = NearestNeighbors(n_neighbors=300, algorithm="brute").fit(kind(train)).kneighbors(kind(test))
    off = np.abs(distances**2 - np.take_along_axis(exact, positions, axis=1)).max(axis=1)
    bound = neighbors.rounding_error(768, np.linalg.norm(test, axis=1), np.linalg.norm(train, axis=1).max())
    assert (off < bound).all()
    assert (bound < 1e-3 * exact.max()).all()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_sparse_and_metric_equal_scikit_learn(metric):
    generator = np.random.default_rng(3)
    dense = generator.random((300, 40)) * (generator.random((300, 40)) < 0.2) + 1e-3
    labels = generator.choice(list("abc"), 250)
    reference = KNeighborsClassifier(10, algorithm="brute", metric=metric).fit(dense[:250], labels).predict(dense[250:])
    sparse = csr_matrix(dense)
    assert (neighbors.predict(dense[:250], labels, dense[250:], k=10, metric=metric) == reference).all()
    assert (neighbors.predict(sparse[:250], labels, sparse[250:], k=10, metric=metric) == reference).all()


@given(st.lists(st.lists(st.integers(0, 4), min_size=3, max_size=3), min_size=1, max_size=20))
def test_vote_is_the_smallest_most_frequent_class(rows):
    voted = neighbors.vote(np.array(rows), n_classes=5)
    assert list(voted) == [min(range(5), key=lambda label: (-row.count(label), label)) for row in rows]


def test_vote_ties_go_to_the_label_that_sorts_first():
    train = np.array([[0.0], [1.0], [2.0], [3.0]])
    assert neighbors.predict(train, np.array(["z", "a", "z", "a"]), np.array([[1.5]]), k=4, metric="euclidean") == ["a"]


def test_too_few_texts_is_one_clear_line():
    with pytest.raises(
        InputError, match=r"^4 labelled training texts are too few for k = 10 neighbours; expected: at most 4$"
    ):
        neighbors.predict(np.zeros((4, 2)), np.array(list("aabb")), np.zeros((1, 2)), k=10, metric="euclidean")
