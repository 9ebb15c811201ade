"""Early stopping: when training ends, what it is decided by, and that an interrupted run ends at the same step."""

import numpy as np
import pytest
import torch
from small_models import small_bert
from test_training import pairs_of
from with_defaults import train

from selfembed.training import training

N_TEXTS, N_EPOCHS = 660, 3  # 33 texts for validation, 627 trained on: 20 steps of 32 in an epoch
FLAT = {"early_stopping": True, "batch_size": 32, "learning_rate": 1e-12}


@pytest.mark.parametrize(
    ("losses", "flat"),
    [
        ([], False),
        ([1.0, 1.0, 1.0], False),
        ([1.0, 1.0, 1.0, 1.0], True),
        ([1.0, 0.995, 0.993, 0.991], True),
        ([1.0, 1.0, 1.0, 0.98], False),
        ([2.0, 1.0, 1.1, 1.2, 1.3], True),
        ([2.0, 1.0, 1.1, 1.2], False),
    ],
)
def test_losses_are_flat_if_none_of_the_last_three_is_lower_by_a_hundredth(losses, flat):
    assert training.is_flat(losses) == flat


def test_validation_texts_are_a_twentieth_of_the_texts_in_all_epochs():
    pairs = pairs_of(N_TEXTS, N_EPOCHS)
    chosen = training.validation_texts(pairs, seed=1)
    assert pairs["id"][chosen].nunique() == 33 and chosen.sum() == 33 * N_EPOCHS
    assert not set(pairs["id"][chosen]) & set(pairs["id"][~chosen])
    np.testing.assert_array_equal(training.validation_texts(pairs, seed=1), chosen)
    assert not np.array_equal(training.validation_texts(pairs, seed=2), chosen)
    assert training.validation_texts(pairs_of(10_000, 1), seed=1).sum() == training.VALIDATED
    assert not training.validation_texts(pairs_of(600, 1), seed=1).any()


@pytest.fixture
def quick(monkeypatch):
    """Validate after every second step."""
    monkeypatch.setattr(training, "VALIDATE_EVERY", 2)


def test_a_run_that_learns_nothing_ends_after_four_validations(tmp_path, quick):
    history = train(small_bert(tmp_path, dropout=0.0), pairs_of(N_TEXTS, N_EPOCHS), seed=1, **FLAT)
    assert len(history) == 8
    assert history["validation_loss"].notna().tolist() == [False, True] * 4
    assert history["validation_loss"].dropna().nunique() == 1
    assert history["batch_size"].tolist() == [32] * 8


def test_validation_texts_are_not_trained_on(tmp_path, monkeypatch):
    monkeypatch.setattr(training, "VALIDATE_EVERY", 10)
    model = small_bert(tmp_path, dropout=0.0)
    pairs = pairs_of(N_TEXTS, 1)
    history = train(model, pairs, seed=1, early_stopping=True, batch_size=32, learning_rate=1e-3)
    assert len(history) == 20 and history["batch_size"].sum() == N_TEXTS - 33
    losses = history["validation_loss"].dropna()
    assert losses.iloc[-1] < losses.iloc[0]
    chosen = pairs[training.validation_texts(pairs, seed=1)]
    assert losses.iloc[-1] == pytest.approx(training.loss_of(model, chosen, 0.05), abs=1e-4)


def test_without_it_all_texts_are_trained_on(tmp_path):
    history = train(small_bert(tmp_path), pairs_of(N_TEXTS, 1), seed=1, batch_size=32)
    assert history["batch_size"].sum() == N_TEXTS and "validation_loss" not in history


@pytest.mark.parametrize("stop", [5, 8])
def test_an_interrupted_run_ends_at_the_same_step_with_the_same_weights(tmp_path, quick, stop):
    found = []
    for interrupted in (False, True):
        folder = tmp_path / str(interrupted)
        states = folder / ".states.unfinished"

        def keep(name, history):
            raise KeyboardInterrupt

        for keeps in [stop] * interrupted + [0]:
            model = small_bert(folder / "tokenizer", dropout=0.1)
            settings = FLAT | {"seed": 1, "checkpoints": states, "checkpoint_minutes": 0}
            if keeps:
                with pytest.raises(KeyboardInterrupt):
                    train(model, pairs_of(N_TEXTS, 1), kept_steps=[str(keeps)], keep=keep, **settings)
            else:
                history = train(model, pairs_of(N_TEXTS, 1), **settings)
        found.append((history, model.state_dict()))
    (one, weights), (other, same) = found
    assert len(one) == 8 and one.equals(other)
    assert all(torch.equal(weights[name], same[name]) for name in weights)
