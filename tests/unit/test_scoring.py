"""The shared protocol of scores, whitening and the linear probe, against scikit-learn."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from with_defaults import labelled_split, split

from selfembed.errors import InputError
from selfembed.jobs import records
from selfembed.scores import neighbors, probes, scoring, tables
from selfembed.scores.transforms import transform
from warm_steps import run_step

SCRIPTS = Path(scoring.__file__).parents[2]
GENERATOR = np.random.default_rng(0)
LABELS = GENERATOR.choice(list("abc"), 400)
VECTORS = GENERATOR.normal(size=(400, 5)) + 2 * (LABELS[:, None] == np.array(list("abcde")))
TRAIN, TEST = train_test_split(np.arange(400), test_size=0.1, random_state=42)
NEAREST = partial(neighbors.predict, k=10, metric="euclidean")


def test_split_is_scikit_learns_and_depends_on_number_and_seed_alone():
    for found, expected in zip(split(400, 0.1, 42), (TRAIN, TEST), strict=True):
        assert (found == expected).all()
    assert len(split(101)[1]) == 11  # rounded up


def test_labelled_texts_are_split_as_if_there_were_no_others():
    labelled = GENERATOR.random(900) < 0.5
    train, test = labelled_split(labelled)
    for found, expected in zip((train, test), split(int(labelled.sum())), strict=True):
        assert (found == expected).all()


def test_a_split_of_all_texts_tests_labelled_texts_that_training_can_hold_out():
    labelled = GENERATOR.random(900) < 0.5
    positions = np.flatnonzero(labelled)
    train, test = labelled_split(labelled, "all")
    everything = [set(part) for part in split(900)]
    assert set(positions[train]) == everything[0] & set(positions)
    assert set(positions[test]) == everything[1] & set(positions)


def test_accuracy_and_its_standard_error():
    scored = scoring.summary(NEAREST(VECTORS[TRAIN], LABELS[TRAIN], VECTORS[TEST]) == LABELS[TEST])
    reference = KNeighborsClassifier(10, algorithm="brute").fit(VECTORS[TRAIN], LABELS[TRAIN])
    value = reference.score(VECTORS[TEST], LABELS[TEST])
    assert scored["value"] == pytest.approx(value)
    assert scored["standard_error"] == pytest.approx((value * (1 - value) / 40) ** 0.5)


def run(script, folder, *words):
    """A score's script on the files in a folder; the rows and outcomes that it writes."""
    names = {"--embeddings": "embeddings", "--corpus": "corpus.parquet"}
    given = [word for flag, name in names.items() for word in (flag, folder / name)]
    given += ["--model", "base/tiny", "--step", "0", "--score", script, "--output", folder / "scores.csv"]
    done = run_step(f"score_{script}", *given, "--outcomes", folder / "outcomes.parquet", *words)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(folder / "scores.csv"), pd.read_parquet(folder / "outcomes.parquet")


@pytest.fixture
def embedded(tmp_path):
    """A labelled corpus with a few unlabelled texts, and two poolings and layers of it."""
    labels = np.where(np.arange(400) % 9 == 4, None, LABELS)
    corpus = pd.DataFrame({"id": [f"t{i}" for i in range(400)], "text": "x", "label": labels, "title": None})
    records.write_table(corpus, tmp_path / "corpus.parquet")
    folder = tmp_path / "embeddings"
    folder.mkdir()
    layers = [VECTORS, VECTORS + GENERATOR.normal(size=VECTORS.shape), VECTORS[:, ::-1], 0 * VECTORS]
    np.save(folder / "embeddings.npy", np.reshape(layers, (2, 2, *VECTORS.shape)).astype(np.float32))
    records.write_json({"poolings": ["mean", "cls"], "layers": [0, 6], "last_layer": 6}, folder / "embeddings.json")
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("script", ["knn", "linear"])
def test_outcomes_are_of_the_test_texts_and_their_mean_is_the_accuracy(embedded, script):
    scores, outcomes = run(script, embedded)
    assert list(outcomes.columns) == tables.OUTCOME_COLUMNS
    assert list(scores.columns) == tables.SCORE_COLUMNS
    labelled = [f"t{i}" for i in range(400) if i % 9 != 4]
    assert len(scores) == 4
    for row in scores.to_dict("records"):
        here = outcomes[(outcomes["pooling"] == row["pooling"]) & (outcomes["layer"] == row["layer"])]
        assert list(here["id"]) == [labelled[position] for position in split(len(labelled))[1]]
        assert set(here["outcome"]) <= {0, 1}
        assert here["outcome"].mean() == pytest.approx(row["value"])
        assert set(here["score"]) == {script}
        assert row["n_test"] == len(here)
    before = (embedded / "outcomes.parquet").read_bytes()
    run(script, embedded)
    assert (embedded / "outcomes.parquet").read_bytes() == before


@pytest.mark.slow
def test_which_texts_are_right_is_scikit_learns_word(embedded):
    _, outcomes = run("knn", embedded)
    labelled = np.flatnonzero(np.arange(400) % 9 != 4)
    train, test = (labelled[part] for part in split(len(labelled)))
    reference = KNeighborsClassifier(10, algorithm="brute").fit(VECTORS[train], LABELS[train])
    here = outcomes[(outcomes["pooling"] == "mean") & (outcomes["layer"] == 0)]
    assert (here["outcome"].to_numpy() == (reference.predict(VECTORS[test]) == LABELS[test])).all()


@pytest.mark.slow
@pytest.mark.parametrize("script", ["knn", "linear"])
def test_a_balanced_score_has_the_balanced_accuracy_and_that_of_the_largest_class(embedded, script):
    plain, _ = run(script, embedded)
    scores, outcomes = run(script, embedded, "--balanced")
    assert list(scores.columns) == [*tables.SCORE_COLUMNS, tables.LARGEST_CLASS]
    of_score = scores["score"] == script
    assert set(scores["score"][~of_score]) == {f"{script}_balanced_accuracy"}
    pd.testing.assert_frame_equal(scores[of_score][tables.SCORE_COLUMNS].reset_index(drop=True), plain)
    labels = LABELS[np.arange(400) % 9 != 4]
    train, test = split(len(labels))
    always = DummyClassifier().fit(train, labels[train]).predict(test)
    expected = {True: accuracy_score(labels[test], always), False: balanced_accuracy_score(labels[test], always)}
    for is_plain, share in expected.items():
        assert scores["largest_class"][of_score == is_plain].to_numpy() == pytest.approx(share)
    here = (outcomes["pooling"] == "mean") & (outcomes["layer"] == 0)
    hits = outcomes[here & (outcomes["score"] == script)]["outcome"].to_numpy()
    recalls = [hits[labels[test] == name].mean() for name in "abc"]
    assert scores["value"][~of_score].iloc[0] == pytest.approx(np.mean(recalls))
    balanced = outcomes[here & (outcomes["score"] == f"{script}_balanced_accuracy")]
    assert balanced["outcome"].mean() == pytest.approx(np.mean(recalls), abs=1e-6)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_broken_embeddings_are_named(bad, kind):
    vectors = VECTORS.copy()
    vectors[3, 1] = bad
    with pytest.raises(InputError, match="NaN or infinite"):
        scoring.check_finite(kind(vectors))


@pytest.mark.parametrize(("n_texts", "test_fraction"), [(1, 0.1), (20, 0.99)])
def test_texts_that_cannot_be_split_are_one_clear_line(n_texts, test_fraction):
    with pytest.raises(InputError, match="labelled"):
        labelled_split(np.full(n_texts, True), "labelled", test_fraction)


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
        metric: [neighbors.predict(x[TRAIN], LABELS[TRAIN], x[TEST], k=10, metric=metric) for x in (plain, centred)]
        for metric in ("euclidean", "cosine")
    }
    assert (predict["euclidean"][0] == predict["euclidean"][1]).all()
    assert (predict["cosine"][0] != predict["cosine"][1]).any()


def test_sparse_vectors_cannot_be_whitened():
    with pytest.raises(InputError, match="sparse vectors"):
        transform(csr_matrix(VECTORS), "whitened")
