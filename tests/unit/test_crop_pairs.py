"""Crops of held-out texts and the scores on them, against loops that say the same plainly."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.metrics.pairwise import cosine_similarity
from with_defaults import crop_corpus, make_pairs, packs, split

from selfembed.augmentations import crops
from selfembed.errors import InputError
from selfembed.jobs import records
from selfembed.scores import crop_pairs, scoring
from warm_steps import run_step

SCRIPTS = Path(crops.__file__).parents[2]


def texts(number, sentences=5):
    """A corpus of texts whose sentences all differ; every fifth has two eligible sentences alone."""
    rows = []
    for index in range(number):
        count = 3 if index % 5 == 0 else sentences
        parts = [f"Sentence {place} of text {index} " + "word " * 20 for place in range(count)]
        rows.append((f"id/{index}", ". ".join(parts), "even" if index % 2 == 0 else None, f"Title {index}"))
    return pd.DataFrame(rows, columns=["id", "text", "label", "title"])


# The corpus of crops ------------------------------------------------------------------------------------------


@given(st.integers(1, 4), st.integers(0, 8), st.integers(0, 10**6))
def test_packs_apart_share_no_sentence_and_every_such_pair_can_be_drawn(sentences, more, seed):
    text = "".join(f" s{place}." for place in range(2 * sentences + more))
    found = packs(text, sentences, 0, 10)
    generator = np.random.default_rng(seed)
    starts = {pack: place for place, pack in enumerate(found)}
    assert len(found) == len(starts)
    for _ in range(20):
        first, second = (starts[pack] for pack in crops.apart_pair(found, sentences, generator))
        assert abs(first - second) >= sentences


def test_packs_apart_are_drawn_uniformly():
    generator = np.random.default_rng(0)
    drawn = [crops.apart_pair(list("abcde"), 2, generator) for _ in range(12_000)]
    counts = pd.Series(drawn).value_counts()
    allowed = {(a, b) for a in "abcde" for b in "abcde" if abs(ord(a) - ord(b)) >= 2}
    assert set(counts.index) == allowed
    assert (counts - 1000).abs().max() < 5 * 1000**0.5


def test_crops_are_of_what_runs_hold_out():
    corpus = texts(1000)
    cropped, counts = crop_corpus(corpus, held_out=0.1, size=None, seed=7)
    found = list(dict.fromkeys(name.rpartition("/")[0] for name in cropped["id"]))
    assert set(found) == set(corpus["id"].iloc[split(1000, 0.1)[1]])
    pairs = make_pairs(corpus, "crops", epochs=1, seed=1, held_out=0.1)
    assert not set(pairs["id"]) & set(found)
    assert list(cropped["id"]) == [f"{name}/{place}" for name in found for place in (0, 1)]
    held_out = corpus.set_index("id").loc[found]
    for column in ("label", "title"):
        assert cropped[column].tolist() == [cell for cell in held_out[column] for _ in (0, 1)]
    short = sum(index % 5 == 0 for index in split(1000, 0.1)[1])
    assert counts == {
        "texts": 1000,
        "held out": 100,
        "without two crops": 0,
        "not drawn": 0,
        "kept": 100,
        "kept, crops share a sentence": short,
        "kept, a crop is in another text": 0,
    }
    sentences = [set(text.removesuffix(".").split(". ")) for text in cropped["text"]]
    shared = [bool(one & other) for one, other in zip(sentences[::2], sentences[1::2], strict=True)]
    assert sum(shared) == short


def test_a_number_of_crops_is_stated_and_the_same_every_time():
    corpus = texts(1000)
    one, counts = crop_corpus(corpus, held_out=0.2, size=60, seed=7)
    assert len(one) == 120
    assert counts["kept"] == 60 and counts["not drawn"] == 140
    assert one.equals(crop_corpus(corpus, held_out=0.2, size=60, seed=7)[0])
    assert not one.equals(crop_corpus(corpus, held_out=0.2, size=60, seed=8)[0])
    assert len(crop_corpus(corpus, held_out=0, size=None, seed=7)[0]) == 2000


@pytest.mark.slow
def test_too_few_texts_are_one_clear_line(tmp_path):
    records.write_table(texts(100), tmp_path / "corpus.parquet")
    words = ["--corpus", tmp_path / "corpus.parquet", "--output", tmp_path / "crops.parquet"]
    words += ["--counts", tmp_path / "crops.json"]
    done = run_step("crop_corpus", *words)
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == (
        f"error: {tmp_path}/corpus.parquet: 10 of the 10 held-out texts have two packs of 2 sentences of 100 to 250 "
        "characters; expected: 50 (more or longer texts, a larger held_out, or other limits)"
    )
    done = run_step("crop_corpus", *words, "--held-out", "0.6")
    assert done.returncode == 0, done.stderr
    assert records.read_json(tmp_path / "crops.json")["counts"]["kept"] == 60
    assert "60 kept" in done.stderr


# The score ----------------------------------------------------------------------------------------------------


def plain(first, second):
    """The five measures in loops over texts, with scikit-learn's cosines."""
    n = len(first)
    ranks = np.empty((2, n))
    for place, (queries, found) in enumerate(((first, second), (second, first))):
        cosines = cosine_similarity(queries, found)
        for text in range(n):
            ranks[place, text] = 1 + sum(
                cosines[text, other] >= cosines[text, text] - 1e-12 for other in range(n) if other != text
            )
    unit = [vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300) for vectors in (first, second)]
    kernels = [
        np.exp(-2 * np.sum((unit[a][i] - unit[b][j]) ** 2))
        for a in (0, 1)
        for b in (0, 1)
        for i in range(n)
        for j in range(n)
        if i != j
    ]
    return {
        "recall@1": np.mean(ranks <= 1),
        "recall@10": np.mean(ranks <= 10),
        "mrr": np.mean(1 / ranks),
        "alignment": np.mean(np.sum((unit[0] - unit[1]) ** 2, axis=1)),
        "uniformity": np.log(np.mean(kernels)),
    }


def case(seed):
    """Crops of a few texts; every second case on a coarse grid, so that cosines tie and vectors are zero."""
    generator = np.random.default_rng(seed)
    n, dim = int(generator.integers(2, 40)), int(generator.integers(1, 8))
    if seed % 2:
        first, second = generator.integers(-1, 2, (2, n, dim)).astype(np.float32)
    else:
        center = generator.normal(size=(n, dim))
        first, second = (center + generator.normal(size=(2, n, dim)) * generator.random()).astype(np.float32)
    return first, second


@given(st.integers(0, 10**6), st.sampled_from([1, 50, 2**24]))
def test_measures_are_those_of_plain_loops(seed, block):
    first, second = case(seed)
    expected = plain(first.astype(np.float64), second.astype(np.float64))
    normal, crop_pairs.BLOCK = crop_pairs.BLOCK, block
    try:
        dense = crop_pairs.outcomes(first, second)
        sparse = crop_pairs.outcomes(csr_matrix(first), csr_matrix(second))
    finally:
        crop_pairs.BLOCK = normal
    for found in (dense, sparse):
        assert {name: by_text.shape for name, by_text in found.items()} == dict.fromkeys(expected, (len(first),))
        assert {name: by_text.mean() for name, by_text in found.items()} == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 10**6))
def test_neither_scale_nor_rotation_nor_the_order_of_crops_matters(seed):
    first, second = case(2 * seed)  # without ties, which rounding could break
    generator = np.random.default_rng(seed)
    turned = np.linalg.qr(generator.normal(size=(first.shape[1],) * 2))[0]
    scales = generator.uniform(0.1, 10, (2, len(first), 1))
    order = generator.permutation(len(first))
    one = crop_pairs.outcomes(first.astype(np.float64), second.astype(np.float64))
    two = crop_pairs.outcomes(((second * scales[1]) @ turned)[order], ((first * scales[0]) @ turned)[order])
    for name in ("alignment", "uniformity"):
        assert one[name][order] == pytest.approx(two[name], abs=1e-7)
    assert 0 <= one["recall@1"].mean() <= one["mrr"].mean() <= 1
    assert (one["recall@1"] <= one["recall@10"]).all()
    assert one["uniformity"].mean() <= 1e-9


def test_a_model_that_cannot_tell_texts_apart_finds_nothing():
    found = crop_pairs.outcomes(np.ones((30, 4)), np.ones((30, 4)))
    assert found["recall@1"].sum() == found["recall@10"].sum() == 0
    assert found["mrr"] == pytest.approx(np.full(30, 1 / 30))
    assert found["alignment"] == pytest.approx(0, abs=1e-12)
    assert found["uniformity"] == pytest.approx(0, abs=1e-12)
    perfect = crop_pairs.outcomes(np.eye(30), np.eye(30))
    assert perfect["recall@1"].mean() == perfect["mrr"].mean() == 1
    assert perfect["uniformity"].mean() == pytest.approx(-4)  # squared distances are 2, t is 2


def unit_rows(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@given(st.integers(2, 12), st.integers(1, 8), st.integers(0, 10**6))
def test_texts_with_an_identical_crop_are_not_candidates_for_each_other(n, distinct, seed):
    """Against a loop over texts; identical crops have identical vectors."""
    generator = np.random.default_rng(seed)
    names = generator.integers(0, 4 * distinct, (2, n))
    first, second = generator.normal(size=(4 * distinct, 3))[names]
    shared = crop_pairs.shared_crops(names.ravel().astype(str))
    cosines = unit_rows(first) @ unit_rows(second).T
    twins = np.array([[bool(set(names[:, a]) & set(names[:, b])) and a != b for b in range(n)] for a in range(n)])
    expected = [((found >= np.diag(found)[:, None] - 1e-12) & ~twins).sum(axis=1) for found in (cosines, cosines.T)]
    for one, other in ((first, second), (csr_matrix(first), csr_matrix(second))):
        found = crop_pairs.outcomes(one, other, shared)
        assert found["mrr"] == pytest.approx(np.mean(1 / np.array(expected), axis=0))
        without = crop_pairs.outcomes(one, other)
        assert (found["recall@1"] >= without["recall@1"]).all()
        for name in found if not twins.any() else ("alignment", "uniformity"):
            assert (found[name] == without[name]).all()


def test_a_twin_is_no_miss():
    first, second = np.array([[1, 0, 0], [1, 0, 0], [0, 0, 1.0]]), np.array([[1, 0.3, 0], [1, 0.2, 0], [0, 1, 1]])
    shared = crop_pairs.shared_crops(np.array(["footer", "footer", "own", "a", "b", "c"], dtype=object))
    assert np.diff(shared.indptr).tolist() == [1, 1, 0]
    assert crop_pairs.outcomes(first, second)["recall@1"].tolist() == [0, 0.5, 1]
    assert crop_pairs.outcomes(first, second, shared)["recall@1"].tolist() == [1, 1, 1]


def test_the_standard_error_of_uniformity_is_what_new_texts_show():
    """Shares have the spread that the value has over new draws of texts."""
    generator = np.random.default_rng(1)
    values, errors = [], []
    for _ in range(400):
        center = generator.normal(size=(80, 3)) + 0.7
        shares = crop_pairs.outcomes(*(center + 0.3 * generator.normal(size=(2, 80, 3))))["uniformity"]
        values.append(shares.mean())
        errors.append(scoring.summary(shares)["standard_error"])
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.15)


@pytest.mark.parametrize("ids", [["a", "b"], ["a/0", "a/1"], ["a/0", "b/1"] * 2, ["a/1", "a/0", "b/0", "b/1"]])
def test_other_corpora_are_refused(ids):
    with pytest.raises(InputError, match=r"^not a corpus of crops: .*; expected: type crops$"):
        crop_pairs.positions(np.array(ids), "crops")


def test_positions_of_crops():
    found = crop_pairs.positions(np.array(["a/b/0", "a/b/1", "7/0", "7/1"], dtype=object), "crops")
    assert [list(part) for part in found] == [["a/b", "7"], [0, 2], [1, 3]]


@pytest.mark.slow
@pytest.mark.parametrize("sparse", [False, True])
def test_the_script_writes_rows_and_outcomes_that_agree(tmp_path, sparse):
    cropped, _ = crop_corpus(texts(600), held_out=0.1, size=None, seed=7)
    records.write_table(cropped, tmp_path / "crops.parquet")
    generator = np.random.default_rng(0)
    vectors = np.repeat(generator.normal(size=(60, 6)), 2, axis=0) + generator.normal(size=(120, 6))
    folder = tmp_path / "embeddings"
    folder.mkdir()
    if sparse:
        from scipy.sparse import save_npz

        save_npz(folder / "embeddings.npz", csr_matrix(vectors.clip(min=0)))
    else:
        np.save(folder / "embeddings.npy", vectors[None, None].astype(np.float32))
    records.write_json({"poolings": ["mean"], "layers": [3], "last_layer": 3}, folder / "embeddings.json")
    words = ["--embeddings", folder, "--corpus", tmp_path / "crops.parquet", "--model", "base/tiny", "--step", "0"]
    words += ["--score", "pairs", "--output", tmp_path / "scores.csv", "--outcomes", tmp_path / "outcomes.parquet"]
    done = run_step("score_crop_pairs", *words)
    assert done.returncode == 0, done.stderr
    scores = pd.read_csv(tmp_path / "scores.csv").set_index("score")
    used = vectors.clip(min=0) if sparse else vectors.astype(np.float32).astype(np.float64)
    expected = plain(used[::2], used[1::2])
    assert scores["value"].to_dict() == pytest.approx({f"pairs_{name}": value for name, value in expected.items()})
    assert set(scores["n_test"]) == {60}
    outcomes = pd.read_parquet(tmp_path / "outcomes.parquet")
    assert outcomes.groupby("score", observed=True)["outcome"].mean().to_dict() == pytest.approx(
        scores["value"].to_dict(), abs=1e-6
    )
    assert list(outcomes["id"].unique()) == [name.removesuffix("/0") for name in cropped["id"][::2]]
