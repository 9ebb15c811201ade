"""Masked tokens: how many, which, and by what."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_models import small_bert, text
from test_training import pairs_of
from with_defaults import train

from selfembed.errors import InputError
from selfembed.training import masking


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return small_bert(tmp_path_factory.mktemp("tokenizer"))


@given(st.integers(0, 60), st.floats(0, 0.99), st.integers(0, 2**20))
def test_exactly_the_rounded_fraction_of_maskable_tokens(n_maskable, fraction, seed):
    generator = np.random.default_rng(seed)
    maskable = torch.from_numpy(generator.permutation(np.arange(80) < n_maskable)).repeat(2, 1)
    ids = torch.arange(5, 85).repeat(2, 1)
    masked = masking.mask_tokens(ids, maskable, fraction, 1, generator)
    changed = masked != ids
    assert changed.sum(dim=1).tolist() == [round(fraction * n_maskable)] * 2
    assert not (changed & ~maskable).any()
    assert (masked[changed] == 1).all()


def preprocess(model, fraction, texts, seed=1):
    return masking.masked_preprocessing(model.preprocess, model.tokenizer, fraction, seed)(texts)


def test_special_tokens_and_padding_are_never_masked(model):
    texts = [text(4), text(20)]
    plain, masked = model.preprocess(texts), preprocess(model, 0.99, texts)
    tokenizer = model.tokenizer
    for before, after, mask in zip(plain["input_ids"], masked["input_ids"], plain["attention_mask"], strict=True):
        length = int(mask.sum())
        assert (after[0], after[length - 1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
        assert (after[length:] == tokenizer.pad_token_id).all()
        ordinary = length - 2
        assert (after == tokenizer.mask_token_id).sum() == round(0.99 * ordinary)
        assert (after[after != tokenizer.mask_token_id] == before[after != tokenizer.mask_token_id]).all()


def test_the_two_texts_of_a_pair_are_masked_differently_and_the_same_every_time(model):
    masked = masking.masked_preprocessing(model.preprocess, model.tokenizer, 0.5, 3)
    first, second = masked([text(30)])["input_ids"], masked([text(30)])["input_ids"]
    assert (first != second).any()
    again = masking.masked_preprocessing(model.preprocess, model.tokenizer, 0.5, 3)
    assert (again([text(30)])["input_ids"] == first).all()
    assert (preprocess(model, 0.5, [text(30)], seed=4)["input_ids"] != first).any()


def test_an_encoder_without_mask_token_is_one_clear_line(model):
    class Tokenizer:
        mask_token_id = None

    with pytest.raises(InputError, match="mask_fraction: the encoder's tokenizer has no mask token"):
        masking.masked_preprocessing(model.preprocess, Tokenizer(), 0.5, 1)


@pytest.mark.slow
def test_a_run_sees_the_masks(tmp_path, model):
    """The first loss is that of the unmasked run without masks, and another with them."""
    losses = {}
    for fraction in (0.0, 0.5):
        fresh = small_bert(tmp_path / str(fraction), dropout=0.0)
        losses[fraction] = train(fresh, pairs_of(8, 1), seed=1, batch_size=8, mask_fraction=fraction)
    plain = train(small_bert(tmp_path / "plain", dropout=0.0), pairs_of(8, 1), seed=1, batch_size=8)
    assert losses[0.0]["loss"][0] == plain["loss"][0]
    assert losses[0.5]["loss"][0] != plain["loss"][0]
