"""Vectors that can be cut to their first dimensions, against the formula, sentence-transformers and a plain loop."""

import copy
import json

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sentence_transformers.sentence_transformer.losses import MatryoshkaLoss, MultipleNegativesRankingLoss
from small_models import small_bert
from test_losses import guided, vectors
from test_training import closed_form, pairs_of, same, study, tuned  # noqa: F401 (a fixture)
from with_defaults import train

from selfembed.errors import InputError
from selfembed.exports import forms
from selfembed.models import model_cards
from selfembed.settings.recipes import Recipe
from selfembed.training import losses, training

TEMPERATURE = 0.05
DIMS = [4, 9]
WIDTH = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tokenizer")


def cut(found, dim):
    return [one[:, :dim] for one in found]


def test_the_first_loss_is_the_mean_of_the_formula_over_first_dimensions(folder):
    model, pairs = small_bert(folder, dropout=0.0), pairs_of(8, 1)
    expected = [closed_form(*cut(vectors(model, pairs), dim), TEMPERATURE) for dim in (WIDTH, *DIMS)]
    history = train(model, pairs, seed=1, batch_size=8, matryoshka=DIMS)
    assert history["loss"][0] == pytest.approx(np.mean(expected), abs=1e-5)
    assert "forward" not in vars(model)


def test_a_guide_leaves_out_the_same_texts_in_all_dimensions_and_reads_them_once(folder):
    model, guide, pairs = small_bert(folder, seed=1, dropout=0.0), small_bert(folder, seed=2), pairs_of(8, 1)
    ours, theirs, read = vectors(model, pairs), vectors(guide, pairs), []
    guide.register_forward_hook(lambda *_: read.append(1))
    expected = [guided(cut(ours, dim), theirs)[0] for dim in (WIDTH, *DIMS)]
    loss = losses.contrastive(model, TEMPERATURE, losses.Guide(guide), DIMS)
    for _ in range(2):  # of the last two outputs of the guide, none is of another batch
        features = [model.preprocess(pairs[column].tolist()) for column in ("anchor", "positive")]
        assert float(loss(features, None).detach()) == pytest.approx(np.mean(expected), abs=1e-4)
    assert len(read) == 4
    left = guided(ours, theirs)[1]
    assert losses.at_chance(loss, 8) == pytest.approx(np.mean(np.log(left)), abs=1e-5)


def test_training_equals_that_of_sentence_transformers_in_a_plain_loop(folder, monkeypatch):
    """In parts of a batch whose activations are computed again, against whole batches."""
    monkeypatch.setattr(training, "tokens_of_passes", lambda model: (40, 30))
    model = small_bert(folder, dropout=0.0)
    reference, pairs = copy.deepcopy(model), pairs_of(8, 2)
    history = train(model, pairs, seed=1, learning_rate=1e-3, batch_size=4, warmup=0.0, matryoshka=DIMS)
    theirs = MatryoshkaLoss(
        reference,
        MultipleNegativesRankingLoss(reference, scale=1 / TEMPERATURE),
        [WIDTH, *DIMS],
        [1 / 3, 1 / 3, 1 / 3],
    )
    optimiser = torch.optim.Adam(reference.parameters())
    for step in range(4):
        optimiser.param_groups[0]["lr"] = 1e-3 * (4 - step) / 4
        batch = pairs.iloc[4 * step : 4 * step + 4]
        loss = theirs([reference.preprocess(batch[column].tolist()) for column in ("anchor", "positive")], None)
        assert history["loss"][step] == pytest.approx(float(loss.detach()), abs=1e-6 if step == 0 else 1e-5)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    for (name, trained), expected in zip(model.named_parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(trained, expected, atol=1e-5, rtol=1e-4, msg=name)


def test_the_script_trains_other_weights_and_only_then_says_so(study, tmp_path):  # noqa: F811
    plain = tuned(study, tmp_path / "plain")
    found = tuned(study, tmp_path / "found", "--matryoshka", "8", "4")
    assert not same(plain, found)
    recipes = [json.loads((tmp_path / name / "run.json").read_text())["recipe"] for name in ("plain", "found")]
    assert "matryoshka" not in recipes[0] and recipes[1]["matryoshka"] == [4, 8]
    assert "matryoshka" not in (tmp_path / "plain" / "final" / "README.md").read_text()


def test_what_cannot_be_cut_is_told_in_a_line(study, tmp_path):  # noqa: F811
    with pytest.raises(InputError, match="matryoshka: 16 dimensions; expected: fewer than the model's 16"):
        tuned(study, tmp_path / "run", "--matryoshka", "16")
    assert not list(tmp_path.iterdir())
    crops = {"augmentation": "crops"}
    with pytest.raises(ValidationError, match="the head is not saved; expected: one of the two"):
        Recipe(**crops, matryoshka=[8], projection=[4])
    with pytest.raises(ValidationError, match="duplicate number"):
        Recipe(**crops, matryoshka=[8, 8])


@pytest.mark.slow
def test_an_export_with_trained_dimensions_has_the_first_ones_and_another_has_components(study, tmp_path):  # noqa: F811
    source = forms.Source(study / "base" / "0", ["the quick brown fox", "a lazy dog", "many small models"] * 9, "cpu")
    whole = source.vectors
    model_card = source.folder / model_cards.CARD
    before = model_card.read_text(encoding="utf-8")
    try:
        model_card.write_text(model_cards.front_matter({model_cards.MATRYOSHKA: [8]}) + before, encoding="utf-8")
        for number in (8, 2):
            forms.export(
                f"dimensions_{number}", forms.Source(source.folder, source.texts, "cpu"), tmp_path / str(number)
            )
    finally:
        model_card.write_text(before, encoding="utf-8")
    found, other = (forms.load_whole(tmp_path / str(number), "cpu", 1)(source.texts) for number in (8, 2))
    np.testing.assert_allclose(found, whole[:, :8] / np.linalg.norm(whole[:, :8], axis=1, keepdims=True), atol=1e-6)
    assert np.abs(other - whole[:, :2] / np.linalg.norm(whole[:, :2], axis=1, keepdims=True)).max() > 1e-2
    assert "cut to the first 8 dimensions, which it was trained for" in (tmp_path / "8" / "README.md").read_text()
    assert "reduced to 2 dimensions by principal components" in (tmp_path / "2" / "README.md").read_text()
