"""Layer-wise embeddings against transformers' own hidden states, pooled by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer
from small_models import WORDS, small_bert, text
from with_defaults import bag_of_words, embed_texts, prepare

import embed
from selfembed.embeddings import embedding, token_batches, vectors
from selfembed.errors import InputError
from selfembed.jobs.records import read_json
from selfembed.models import encoders

POOLINGS = ["mean", "cls", "last", "token7"]
TEXTS = [text(length, start) for start, length in enumerate([1, 30, 5, 6, 90, 12, 3, 55, 7, 20])] + [""]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    return small_bert(tmp_path_factory.mktemp("tokenizer"))[0]


def embedded(encoder, texts, layers=(0, 1, 2), tokens_per_batch=None):
    out = np.full((4, len(layers), len(texts), 16), np.nan, dtype=np.float32)
    embed_texts(encoder, texts, list(layers), POOLINGS, out, max_length=64, tokens_per_batch=tokens_per_batch)
    return out


@torch.no_grad()
def by_hand(encoder, one_text):
    """Vectors of one text, alone in its batch: shape (poolings, layers, dim)."""
    tokens = encoder.tokenizer(one_text, truncation=True, max_length=64, padding="max_length", return_tensors="pt")
    hidden = encoder.model.eval()(**tokens, output_hidden_states=True).hidden_states
    length = int(tokens["attention_mask"].sum())
    states = [layer[0].numpy() for layer in hidden]
    return np.array(
        [
            [state[:length].mean(axis=0) for state in states],
            [state[0] for state in states],
            [state[length - 1] for state in states],
            [state[7] for state in states],
        ]
    )


def test_every_layer_and_pooling_equals_hidden_states_pooled_by_hand(encoder):
    out = embedded(encoder, TEXTS)
    for position, one_text in enumerate(TEXTS):
        np.testing.assert_allclose(out[:, :, position], by_hand(encoder, one_text), atol=1e-5)


@pytest.mark.parametrize("tokens_per_batch", [1, 40, 130, 10_000])
def test_batch_size_does_not_matter(encoder, tokens_per_batch):
    np.testing.assert_allclose(
        embedded(encoder, TEXTS, (0, 1, 2), tokens_per_batch), embedded(encoder, TEXTS), atol=1e-5
    )


def test_texts_tokenized_in_portions_are_the_same(encoder, monkeypatch):
    whole = embedded(encoder, TEXTS)
    monkeypatch.setattr(embedding, "TOKENIZED_AT_ONCE", 3)
    np.testing.assert_array_equal(embedded(encoder, TEXTS), whole)


def test_a_corpus_embedded_block_by_block_is_the_same(encoder, tmp_path, monkeypatch):
    """Blocks of four texts: two whole ones and the rest."""
    prepare(pd.DataFrame({"text": TEXTS[:-1]}).assign(id=None, title=None, label=None))[0].to_parquet(
        tmp_path / "c.parquet"
    )
    encoders.save(encoders.assemble(encoder, "mean", 64), tmp_path / "model", "A card.")
    monkeypatch.setattr(embedding, "BLOCK", 4)
    words = f"--model {tmp_path}/model --corpus {tmp_path}/c.parquet --max-length 64 --output {tmp_path}/embeddings"
    embed.main([*words.split(), "--layers", "all", "--poolings", *POOLINGS])
    found = np.load(tmp_path / "embeddings" / "embeddings.npy")
    np.testing.assert_allclose(found, embedded(encoder, TEXTS[:-1]), atol=1e-5)


def test_bf16_is_near_fp32_but_not_the_same(encoder):
    exact = embedded(encoder, TEXTS)
    rounded = np.zeros_like(exact)
    embed_texts(encoder, TEXTS, [0, 1, 2], POOLINGS, rounded, 64, precision="bf16")
    assert not np.array_equal(exact, rounded)
    cosines = (exact * rounded).sum(-1) / np.linalg.norm(exact, axis=-1) / np.linalg.norm(rounded, axis=-1)
    assert cosines.min() > 0.999
    np.testing.assert_array_equal(embedded(encoder, TEXTS), exact)


def test_provenance_states_the_precision_used(encoder, tmp_path):
    """A CPU has no TF32."""
    table = pd.DataFrame({"text": TEXTS[:2]}).assign(id=None, title=None, label=None)
    prepare(table)[0].to_parquet(tmp_path / "c.parquet")
    encoders.save(encoders.assemble(encoder, "mean", 64), tmp_path / "model", "A card.")
    words = f"--model {tmp_path}/model --corpus {tmp_path}/c.parquet --device cpu --output {tmp_path}"
    for asked, used in (("tf32", "fp32"), ("bf16", "bf16")):
        embed.main(f"{words}/{asked} --precision {asked}".split())
        assert read_json(tmp_path / asked / "embeddings.json")["precision"] == used


def test_order_of_texts_does_not_matter(encoder):
    order = np.random.default_rng(0).permutation(len(TEXTS))
    shuffled = embedded(encoder, [TEXTS[position] for position in order])
    np.testing.assert_allclose(shuffled, embedded(encoder, TEXTS)[:, :, order], atol=1e-5)


def test_a_choice_of_layers_is_a_part_of_all(encoder):
    np.testing.assert_array_equal(embedded(encoder, TEXTS, (2,))[:, 0], embedded(encoder, TEXTS)[:, 2])


def test_the_last_layer_is_the_models_output(encoder):
    """And sentence-transformers' own encode agrees, as an independent implementation."""
    from selfembed.models import encoders

    model = encoders.assemble(encoder, "mean", 64)
    np.testing.assert_allclose(embedded(encoder, TEXTS, (2,))[0, 0], model.encode(TEXTS), atol=1e-5)


def test_dropout_is_off(encoder):
    encoder.train()
    np.testing.assert_array_equal(embedded(encoder, TEXTS), embedded(encoder, TEXTS))


def test_batches_cover_every_text_once_longest_first_within_the_limit():
    lengths = np.random.default_rng(1).integers(3, 60, 200)
    found = list(token_batches.batches(lengths, 100))
    assert sorted(np.concatenate(found)) == list(range(200))
    assert all(len(batch) * max(lengths[batch].max(), 8) <= 100 or len(batch) == 1 for batch in found)
    assert (np.diff(lengths[np.concatenate(found)]) <= 0).all()


@pytest.mark.parametrize(("words", "expected"), [("all", [0, 1, 2, 3]), ("last", [3]), ([2, 0, 2], [0, 2])])
def test_chosen_layers(words, expected):
    assert embedding.chosen_layers(words, 3) == expected


@pytest.mark.parametrize("words", [[4], [-1], "first", [0, 9]])
def test_layers_that_do_not_exist(words):
    with pytest.raises(InputError, match="does not exist; expected: all, last, or numbers from 0 to 3"):
        embedding.chosen_layers(words, 3)


def test_tfidf_and_svd_are_scikit_learns():
    texts = [" ".join(np.random.default_rng(seed).choice(WORDS, 12)) for seed in range(30)]
    expected = TfidfVectorizer(sublinear_tf=True).fit_transform(texts)
    assert (bag_of_words(texts) != expected).nnz == 0
    svd = TruncatedSVD(5, algorithm="arpack", random_state=42).fit_transform(expected)
    np.testing.assert_allclose(bag_of_words(texts, components=5), svd)
    unit = bag_of_words(texts, components=5, normalise=True)
    np.testing.assert_allclose(unit, svd / np.linalg.norm(svd, axis=1, keepdims=True))
    with pytest.raises(InputError, match="expected: components up to"):
        bag_of_words(texts, components=30)


def test_vectors_round_trip(tmp_path):
    rows = np.array([True, False, True])
    vectors.create(tmp_path, poolings=2, layers=3, texts=3, dim=4)
    expected = np.arange(72).reshape(2, 3, 3, 4)
    for position in range(3):
        vectors.to_fill(tmp_path)[:, :, position] = expected[:, :, position]
    np.testing.assert_array_equal(vectors.load(tmp_path, 1, 2, rows), expected[1, 2][rows])
    sparse = bag_of_words(["one two", "two three", "four"])
    (tmp_path / "sparse").mkdir()
    vectors.save(sparse, tmp_path / "sparse")
    assert (vectors.load(tmp_path / "sparse", 0, 0, rows) != sparse[rows]).nnz == 0
