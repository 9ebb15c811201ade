"""Variants of a run do what they say: parameters that must move move, those that must not do not."""

import copy

import numpy as np
import pandas as pd
import pytest
import torch
from sentence_transformers import SentenceTransformer
from small_models import small_bert, text, tokenizer_folder
from test_training import pairs_of
from transformers import MPNetConfig, MPNetModel
from with_defaults import embed_texts, make_pairs, split, train

from selfembed.augmentations import crops
from selfembed.errors import InputError
from selfembed.models import encoders


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def moved(before, after):
    return {name for name in before if not torch.equal(before[name], after[name])}


def small_mpnet(folder, layers=3):
    """MPNet, which has a position bias that all layers share."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder(folder))
    sizes = {"hidden_size": 16, "num_hidden_layers": layers, "num_attention_heads": 2, "intermediate_size": 32}
    torch.manual_seed(0)
    model = MPNetModel(MPNetConfig(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **sizes))
    return encoders.from_parts(model, tokenizer, 64)


@pytest.mark.parametrize("unfrozen", [1, 2, 3])
def test_only_the_top_layers_train(tmp_path, unfrozen):
    model = small_mpnet(tmp_path)
    encoders.freeze_below(model[0], unfrozen)
    before = weights(model[0].model)
    train(model, pairs_of(), seed=1, learning_rate=1e-3, batch_size=8)
    changed = moved(before, weights(model[0].model))
    trainable = {name for name in before if any(f"encoder.layer.{3 - top}." in name for top in range(1, unfrozen + 1))}
    # A bias of the keys adds the same to all scores of a softmax: its gradient is zero.
    assert changed <= trainable
    assert trainable - changed <= {name for name in trainable if name.endswith("attn.k.bias")}
    assert "encoder.relative_attention_bias.weight" in before


def test_without_freezing_embeddings_and_position_bias_train(tmp_path):
    model = small_mpnet(tmp_path)
    before = weights(model[0].model)
    train(model, pairs_of(), seed=1, learning_rate=1e-3, batch_size=8)
    changed = moved(before, weights(model[0].model))
    assert {"encoder.relative_attention_bias.weight", "embeddings.word_embeddings.weight"} <= changed


@pytest.mark.parametrize("unfrozen", [0, 4])
def test_layers_that_do_not_exist_cannot_be_unfrozen(tmp_path, unfrozen):
    with pytest.raises(InputError, match=f"unfrozen_layers is {unfrozen}, the encoder has 3 layers; expected: 1 to 3"):
        encoders.freeze_below(small_mpnet(tmp_path)[0], unfrozen)


def test_a_head_is_trained_through_and_is_linear_relu_linear(tmp_path):
    model = small_bert(tmp_path, dropout=0.0)
    plain = copy.deepcopy(model)
    head = encoders.projection_head(16, [8, 4], seed=5)
    for layer in head:
        model.append(layer)
    first, second = (layer.linear for layer in head)
    pooled = torch.from_numpy(plain.encode([text(9)]))
    expected = second(torch.relu(first(pooled))).detach().numpy()
    assert np.allclose(model.encode([text(9)]), expected, atol=1e-6)
    before, head_before = weights(model[0]), weights(model[2])
    history = train(model, pairs_of(), seed=1, learning_rate=1e-3, batch_size=8)
    without = train(plain, pairs_of(), seed=1, learning_rate=1e-3, batch_size=8)
    assert moved(before, weights(model[0]))
    assert moved(head_before, weights(model[2])) == {"linear.weight", "linear.bias"}
    assert history["loss"][0] != without["loss"][0]


def test_a_head_depends_on_the_seed_alone():
    one, again, other = (encoders.projection_head(16, [8], seed)[0].linear.weight for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_an_embedding_layer_is_lookup_and_mean(tmp_path):
    owner = small_bert(tmp_path / "owner")
    model = encoders.embedding_layer(owner[0], 64)
    texts = [text(5), text(17)]
    matrix = owner[0].model.get_input_embeddings().weight.detach()
    by_hand = [matrix[torch.tensor(model.tokenizer(one)["input_ids"])].mean(dim=0).numpy() for one in texts]
    assert np.allclose(model.encode(texts), by_hand, atol=1e-6)
    assert sum(parameter.numel() for parameter in model.parameters()) == matrix.numel()
    before = matrix.clone()
    train(model, pairs_of(), seed=1, learning_rate=0.5, batch_size=8)
    assert not torch.equal(model[0].model.word_embeddings.weight, before)
    assert torch.equal(owner[0].model.get_input_embeddings().weight, before)


def test_an_embedding_layer_takes_token_types_as_berts_tokenizers_give_them(tmp_path):
    model = encoders.embedding_layer(small_bert(tmp_path / "owner")[0], 64)
    model.tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    assert "token_type_ids" in model.preprocess([text(5)])
    assert model.encode([text(5)]).shape == (1, 16)
    train(model, pairs_of(), seed=1, batch_size=8)


def test_others_can_load_an_embedding_layer(tmp_path):
    model = encoders.embedding_layer(small_bert(tmp_path / "owner")[0], 64)
    encoders.save(model, tmp_path / "saved", "card")
    loaded = SentenceTransformer(str(tmp_path / "saved"), trust_remote_code=True)
    assert np.allclose(loaded.encode([text(9)]), model.encode([text(9)]))


@pytest.mark.parametrize("make", [small_bert, small_mpnet])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_cut_encoder_gives_the_hidden_state_of_its_last_layer(tmp_path, make, layer):
    owner = make(tmp_path / "owner")
    encoders.save(owner, tmp_path / "saved", "card")
    cut = encoders.load(tmp_path / "saved", layers=layer)
    texts = [text(5), text(17)]
    full, small = (np.zeros((1, 1, 2, 16), dtype=np.float32) for _ in range(2))
    embed_texts(owner[0], texts, [layer], ["mean"], full, 64)
    embed_texts(cut, texts, [0], ["mean"], np.zeros_like(small), 64)
    embed_texts(cut, texts, [layer], ["mean"], small, 64)
    assert (small == full).all()
    parameters = [sum(one.numel() for one in encoder.model.encoder.parameters()) for encoder in (cut, owner[0])]
    assert parameters[0] < parameters[1] or layer == owner[0].model.config.num_hidden_layers


def test_kept_steps_are_the_run_at_those_steps(tmp_path):
    """The model after k steps of a run is that of a plain copy taken there; keeping changes nothing."""
    kept = {}

    def keep(name, history):
        kept[name] = (weights(model), len(history))

    model = small_bert(tmp_path / "one")
    pairs = pairs_of(20, 2)
    history = train(model, pairs, 1, batch_size=8, kept_steps=["1", "4", "epoch-1", "epoch-2"], keep=keep)
    other = small_bert(tmp_path / "two")
    train(other, pairs, 1, batch_size=8)
    assert not moved(weights(model), weights(other))
    assert {name: steps for name, (_, steps) in kept.items()} == {"1": 1, "epoch-1": 3, "4": 4, "epoch-2": 6}
    assert not moved(kept["epoch-2"][0], weights(model))
    assert moved(kept["epoch-1"][0], kept["4"][0])
    assert moved(kept["1"][0], weights(small_bert(tmp_path / "three")))
    assert moved(kept["1"][0], kept["4"][0])
    assert len(history) == 6


@pytest.mark.parametrize("name", ["0", "7", "epoch-3"])
def test_steps_that_a_run_lacks_cannot_be_kept(tmp_path, name):
    with pytest.raises(InputError, match=f"step '{name}' cannot be kept: the run has 6 steps in 2 epochs"):
        train(small_bert(tmp_path), pairs_of(20, 2), 1, batch_size=8, kept_steps=[name])


def corpus_of(n_texts):
    sentence = (
        "This sentence is long enough to be eligible for a pack, because it has more than one hundred characters {}."
    )
    texts = [" ".join(sentence.format(f"{number}{letter}") for letter in "abcd") for number in range(n_texts)]
    titles = [f"About {number}" for number in range(n_texts)]
    ids = [f"t{number}" for number in range(n_texts)]
    return pd.DataFrame({"id": ids, "text": texts, "title": titles, "group": "thread"})


@pytest.mark.parametrize("augmentation", sorted(crops.AUGMENTATIONS))
def test_held_out_texts_are_in_no_pair(augmentation):
    corpus = corpus_of(50)
    train, test = split(50, 0.1, 42)
    pairs = make_pairs(corpus, augmentation, 2, seed=1, held_out=0.1)
    assert set(pairs["id"]) == set(corpus["id"].iloc[train])
    assert not set(pairs["id"]) & set(corpus["id"].iloc[test])


def test_halves_hold_all_sentences_and_whole_texts_the_text():
    corpus = corpus_of(6)
    for row in make_pairs(corpus, "halves", 1, seed=1).itertuples():
        number = row.id[1:]
        found = sorted(word for half in (row.anchor, row.positive) for word in half.split() if word.startswith(number))
        assert found == [f"{number}{letter}." for letter in "abcd"]
    whole = make_pairs(corpus, "whole_text", 1, seed=1)
    assert (whole["anchor"] == whole["positive"]).all()
    assert set(whole["anchor"]) == set(corpus["text"])
