"""Fine-tuning without false negatives, against the loss in a few lines of numpy."""

import copy
import logging
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from small_models import small_bert, text
from test_training import pairs_of, same, study, tuned  # noqa: F401 (a fixture)
from with_defaults import train

from selfembed.training import losses, training

TEMPERATURE = 0.05


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tokenizer")


def cosines(ours, others):
    return np.array([[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in others] for a in ours], dtype=np.float64)


def guided(model, guide, devices=1):
    """The loss of GISTEmbed, anchor by anchor, with the texts left out that are as similar as the own positive.

    model, guide: vectors of the anchors and of the positives. Other anchors are negatives only on the same device.
    Returns the loss, and the number of candidates left to each anchor.
    """
    found, left, share = [], [], len(model[0]) // devices
    for place in range(len(model[0])):
        own = cosines(*guide)[place, place]
        logits = [cosines(*model)[place, place]]
        for one, other in ((0, 1), (0, 0), (1, 1)):
            similar, trained = cosines(guide[one], guide[other])[place], cosines(model[one], model[other])[place]
            for number, value in enumerate(trained):
                if (one, other) == (0, 0) and number // share != place // share:
                    continue
                if similar[number] < own - 1e-6 and not (number == place and one != other):
                    logits.append(value)
        left.append(len(logits))
        exponents = np.exp(np.array(logits) / TEMPERATURE)
        found.append(-np.log(exponents[0] / exponents.sum()))
    return np.mean(found), left


def vectors(model, pairs):
    return [model.encode(pairs[column].tolist()) for column in ("anchor", "positive")]


def with_duplicates():
    """Eight pairs; two are the same pair again, and the positive of a third is the anchor of a fourth."""
    pairs = pairs_of(8, 1)
    pairs.loc[5, ["anchor", "positive"]] = pairs.loc[2, ["anchor", "positive"]]
    pairs.loc[6, "positive"] = pairs.loc[1, "anchor"]
    return pairs


def test_the_first_loss_is_that_of_the_formula_and_duplicates_are_no_negatives(folder):
    model, guide = small_bert(folder, seed=1, dropout=0.0), small_bert(folder, seed=2)
    pairs = with_duplicates()
    expected, left = guided(vectors(model, pairs), vectors(guide, pairs))
    everything = 8 * (3 * 8 - 2)
    assert sum(left) <= everything - 2 * 3 - 1, "both duplicates as positive, anchor, and positive of the positive"
    before = copy.deepcopy(guide.state_dict())
    history = train(model, pairs, seed=1, batch_size=8, temperature=TEMPERATURE, guide=guide)
    assert history["loss"][0] == pytest.approx(expected, abs=1e-4)
    assert same(guide.state_dict(), before)


def test_a_duplicate_adds_nothing_to_the_loss(folder):
    """Of a batch of two equal pairs, no negative is left."""
    pair = pairs_of(1, 1)
    model = small_bert(folder, dropout=0.0)
    history = train(model, pd.concat([pair, pair]), seed=1, batch_size=2, guide=small_bert(folder))
    assert history["loss"][0] == pytest.approx(0, abs=1e-6)
    plain = train(small_bert(folder, dropout=0.0), pd.concat([pair, pair]), seed=1, batch_size=2)
    assert plain["loss"][0] == pytest.approx(np.log(2), abs=1e-4)


def test_no_text_is_a_negative_of_itself_where_both_texts_of_a_pair_are_equal(folder):
    pairs = pairs_of(6, 1)
    pairs["positive"] = pairs["anchor"]
    model, guide = small_bert(folder, seed=1, dropout=0.0), small_bert(folder, seed=2)
    expected, left = guided(vectors(model, pairs), vectors(guide, pairs))
    history = train(model, pairs, seed=1, batch_size=6, temperature=TEMPERATURE, guide=guide)
    assert sum(left) <= 6 * (3 * 6 - 2)
    assert history["loss"][0] == pytest.approx(expected, abs=1e-4)


def test_chance_is_the_logarithm_of_the_candidates_that_are_left(folder):
    """Equal vectors: all but the guide's false negatives and the texts themselves are as good as the positive."""
    pairs = with_duplicates()
    collapsed = small_bert(folder, seed=1, dropout=0.0)
    with torch.no_grad():
        norm = collapsed[0].model.encoder.layer[1].output.LayerNorm
        norm.weight.fill_(0.0)
        norm.bias.copy_(torch.arange(16.0))
    guide = small_bert(folder, seed=2)
    _, left = guided(vectors(collapsed, pairs), vectors(guide, pairs))
    loss = losses.contrastive(collapsed, TEMPERATURE, losses.Guide(guide))
    features = [collapsed.preprocess(pairs[column].tolist()) for column in ("anchor", "positive")]
    with torch.no_grad():
        assert float(loss(features, None)) == pytest.approx(losses.at_chance(loss, 8), abs=1e-4)
    assert losses.at_chance(loss, 8) == pytest.approx(np.mean(np.log(left)), abs=1e-5)
    assert losses.at_chance(losses.contrastive(collapsed, TEMPERATURE), 8) == np.log(8)


def test_a_collapse_is_told_at_the_chance_of_the_batch(folder, caplog):
    loss = losses.GuidedLoss(small_bert(folder), losses.Guide(small_bert(folder)), TEMPERATURE, False)
    history = training.History(
        [[2 * step, 2 * step + 1] for step in range(30)], np.zeros(60), {}, lambda *_: None, loss
    )
    with caplog.at_level(logging.WARNING, logger="selfembed"):
        for step in range(1, 31):
            loss.cross_entropy_loss.chance = 1.3
            state = SimpleNamespace(global_step=step)
            history.on_log(SimpleNamespace(output_dir="."), state, None, logs={"loss": 1.3 if step > 5 else 0.9})
    assert [message.split(" of ")[0] for message in caplog.messages] == ["loss at chance level since step 6"]


def test_a_guided_run_resumes_with_the_same_bytes_and_checkpoints_hold_the_model_alone(folder, tmp_path):
    def weights(place, stop=0):
        def keep(name, history):
            if stop:
                raise KeyboardInterrupt

        model = small_bert(folder)
        settings = {
            "seed": 1,
            "learning_rate": 1e-3,
            "batch_size": 8,
            "mask_fraction": 0.2,
            "guide": small_bert(folder),
        }
        settings |= {"kept_steps": [str(stop or 6)], "checkpoints": place, "checkpoint_minutes": 0}
        train(model, pairs_of(), keep=keep, **settings)
        return copy.deepcopy(model.state_dict())

    undisturbed = weights(tmp_path / "undisturbed")
    with pytest.raises(KeyboardInterrupt):
        weights(tmp_path / "stopped", stop=4)
    checkpoint = tmp_path / "stopped" / "checkpoint-3"
    saved = load_file(checkpoint / "weights.safetensors")
    assert set(saved) <= set(undisturbed)
    moments = torch.load(checkpoint / "optimizer.pt")["state"]
    assert len(moments) <= len(list(small_bert(folder).parameters()))
    assert same(weights(tmp_path / "stopped"), undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_script_guides_by_the_base_model_with_a_head_and_frozen_layers(study, tmp_path, precision):  # noqa: F811
    flags = ("--precision", precision, "--projection", "8", "--unfrozen-layers", "1")
    plain, found = (tuned(study, tmp_path / str(len(more)), *flags, *more) for more in ((), ("--guide",)))
    assert plain.keys() == found.keys()
    assert not same(plain, found)


def test_lengths_and_parts_of_a_batch_change_no_guide(folder, monkeypatch):
    found = []
    for tokens in (20, 1024):
        monkeypatch.setattr(training, "tokens_of_passes", lambda model, tokens=tokens: (tokens, 10**9))
        pairs = pairs_of(8, 1)
        pairs["anchor"] = [text(3 + 5 * number, number) for number in range(8)]
        model = small_bert(folder, dropout=0.0)
        found.append(train(model, pairs, seed=1, batch_size=8, guide=small_bert(folder, seed=2))["loss"][0])
    assert found[0] == pytest.approx(found[1], abs=1e-5)
