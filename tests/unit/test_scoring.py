"""The shared protocol of scores, whitening and the linear probe, against scikit-learn."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from selfembed import neighbors, probes, scoring
from selfembed.errors import InputError
from selfembed.splits import split
from selfembed.transforms import transform

GENERATOR = np.random.default_rng(0)
LABELS = GENERATOR.choice(list("abc"), 400)
VECTORS = GENERATOR.normal(size=(400, 5)) + 2 * (LABELS[:, None] == np.array(list("abcde")))
TRAIN, TEST = train_test_split(np.arange(400), test_size=0.1, random_state=42)


def test_split_is_scikit_learns_and_depends_on_number_and_seed_alone():
    for found, expected in zip(split(400, 0.1, 42), (TRAIN, TEST), strict=True):
        assert (found == expected).all()
    assert len(split(101)[1]) == 11  # rounded up


def test_labelled_texts_are_split_as_if_there_were_no_others():
    labelled = GENERATOR.random(900) < 0.5
    train, test = scoring.labelled_split(labelled)
    for found, expected in zip((train, test), split(int(labelled.sum())), strict=True):
        assert (found == expected).all()


def test_a_split_of_all_texts_tests_labelled_texts_that_training_can_hold_out():
    labelled = GENERATOR.random(900) < 0.5
    positions = np.flatnonzero(labelled)
    train, test = scoring.labelled_split(labelled, "all")
    everything = [set(part) for part in split(900)]
    assert set(positions[train]) == everything[0] & set(positions)
    assert set(positions[test]) == everything[1] & set(positions)


def test_accuracy_and_its_standard_error():
    scored = scoring.accuracy(VECTORS, LABELS, TRAIN, TEST, neighbors.predict)
    reference = KNeighborsClassifier(10, algorithm="brute").fit(VECTORS[TRAIN], LABELS[TRAIN])
    value = reference.score(VECTORS[TEST], LABELS[TEST])
    assert scored["value"] == pytest.approx(value)
    assert scored["standard_error"] == pytest.approx((value * (1 - value) / 40) ** 0.5)
    assert (scored["n_train"], scored["n_test"], scored["n_classes"]) == (360, 40, 3)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_broken_embeddings_are_named(bad, kind):
    vectors = VECTORS.copy()
    vectors[3, 1] = bad
    with pytest.raises(InputError, match="NaN or infinite"):
        scoring.accuracy(kind(vectors), LABELS, TRAIN, TEST, neighbors.predict)


@pytest.mark.parametrize(("n_texts", "test_fraction"), [(1, 0.1), (20, 0.99)])
def test_texts_that_cannot_be_split_are_one_clear_line(n_texts, test_fraction):
    with pytest.raises(InputError, match="labelled"):
        scoring.labelled_split(np.full(n_texts, True), "labelled", test_fraction)


def test_the_probe_is_scikit_learns():
    settings = {"solver": "saga", "tol": 1e-2, "max_iter": 1000, "random_state": 42}
    reference = make_pipeline(StandardScaler(), LogisticRegression(C=np.inf, **settings))
    reference.fit(VECTORS[TRAIN], LABELS[TRAIN])
    predicted = probes.predict(VECTORS[TRAIN], LABELS[TRAIN], VECTORS[TEST])
    assert (predicted == reference.predict(VECTORS[TEST])).all()
    assert np.mean(predicted == LABELS[TEST]) > 0.6


def test_the_probe_does_not_care_about_scale():
    scales = 10.0 ** np.arange(5)
    plain, scaled = (probes.predict((VECTORS * s)[TRAIN], LABELS[TRAIN], (VECTORS * s)[TEST]) for s in (1, scales))
    assert (plain == scaled).all()


def test_centring_and_whitening():
    assert (transform(VECTORS, "none") == VECTORS).all()
    assert np.allclose(transform(VECTORS, "centred"), VECTORS - VECTORS.mean(axis=0))
    white = transform(VECTORS @ GENERATOR.normal(size=(5, 5)) + 7, "whitened")
    assert np.allclose(np.cov(white.T), np.eye(5), atol=1e-8)
    assert np.allclose(white.mean(axis=0), 0)
    expected = PCA(whiten=True, svd_solver="full").fit(VECTORS).transform(VECTORS)
    assert np.allclose(transform(VECTORS, "whitened"), expected)


def test_centring_changes_cosines_but_not_distances():
    shifted = VECTORS + 50
    plain, centred = (transform(shifted, how) for how in ("none", "centred"))
    predict = {
        metric: [neighbors.predict(x[TRAIN], LABELS[TRAIN], x[TEST], metric=metric) for x in (plain, centred)]
        for metric in ("euclidean", "cosine")
    }
    assert (predict["euclidean"][0] == predict["euclidean"][1]).all()
    assert (predict["cosine"][0] != predict["cosine"][1]).any()


def test_sparse_vectors_cannot_be_whitened():
    with pytest.raises(InputError, match="sparse vectors"):
        transform(csr_matrix(VECTORS), "whitened")
