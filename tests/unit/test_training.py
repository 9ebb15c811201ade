"""Fine-tuning against the closed form of the loss and a plain torch loop."""

import copy
import itertools
import json
import logging
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers.sentence_transformer.losses import MultipleNegativesRankingLoss
from small_models import SENTENCE, small_bert, text
from with_defaults import train

import fine_tune
import make_pairs
from selfembed.errors import InputError
from selfembed.models import encoders
from selfembed.training import losses as losses_of_pairs
from selfembed.training import training

N_PAIRS, N_EPOCHS = 21, 2


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tokenizer")


def pairs_of(n_pairs: int = N_PAIRS, n_epochs: int = N_EPOCHS) -> pd.DataFrame:
    """Pairs of different short texts, in training order."""
    rows = [
        (epoch, f"t{number}", text(6 + number % 5, number + epoch), text(9 + number % 4, number + 3))
        for epoch in range(n_epochs)
        for number in range(n_pairs)
    ]
    return pd.DataFrame(rows, columns=["epoch", "id", "anchor", "positive"])


def closed_form(anchors: np.ndarray, positives: np.ndarray, temperature: float) -> float:
    """Mean over i of -log( exp(s_ii) / sum_j exp(s_ij) ), s_ij = cos(a_i, p_j) / T; in float64."""
    anchors, positives = (
        vectors.astype(np.float64) / np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
        for vectors in (anchors, positives)
    )
    logits = anchors @ positives.T / temperature
    highest = logits.max(axis=1)
    return float(np.mean(highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1)) - np.diag(logits)))


@pytest.mark.parametrize("temperature", [0.005, 0.05, 0.5, 5.0])
@pytest.mark.parametrize("batch_size", [2, 7, 64])
def test_loss_equals_the_closed_form(temperature, batch_size):
    generator = np.random.default_rng(batch_size)
    anchors, positives = generator.normal(size=(2, batch_size, 24)).astype(np.float32)
    loss = MultipleNegativesRankingLoss(torch.nn.Identity(), scale=1 / temperature)
    value = loss.compute_loss_from_embeddings([torch.from_numpy(anchors), torch.from_numpy(positives)], None)
    assert float(value) == pytest.approx(closed_form(anchors, positives, temperature), rel=1e-5, abs=1e-5)


def test_first_loss_of_a_run_equals_the_closed_form(folder):
    model = small_bert(folder, dropout=0.0)
    pairs = pairs_of(8, 1)
    vectors = [model.encode(pairs[column].tolist()) for column in ("anchor", "positive")]
    history = train(model, pairs, seed=1, batch_size=8)
    assert history["loss"][0] == pytest.approx(closed_form(*vectors, 0.05), abs=1e-5)


def plain_loop(model, pairs, learning_rate, batch_size, temperature, warmup, stop=None):
    """The same fine-tuning in a few lines of torch: Adam, linear schedule, no clipping, no dropout; `stop` steps."""
    model.train()
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    batches = [
        epoch.iloc[start : start + batch_size]
        for _, epoch in pairs.groupby("epoch")
        for start in range(0, len(epoch), batch_size)
    ]
    rising = int(warmup * len(batches) / pairs["epoch"].nunique())
    losses = []
    for step, batch in enumerate(batches[:stop]):
        factor = step / rising if step < rising else (len(batches) - step) / (len(batches) - rising)
        optimiser.param_groups[0]["lr"] = learning_rate * factor
        a, p = (
            model(model.preprocess(batch[column].tolist()))["sentence_embedding"] for column in ("anchor", "positive")
        )
        logits = torch.nn.functional.normalize(a) @ torch.nn.functional.normalize(p).T / temperature
        loss = torch.nn.functional.cross_entropy(logits, torch.arange(len(batch)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("steps", [1, 12])
def test_equals_a_plain_torch_loop(folder, steps):
    model = small_bert(folder, dropout=0.0)
    reference = copy.deepcopy(model)
    pairs = pairs_of()[:4] if steps == 1 else pairs_of()
    history = train(model, pairs, seed=1, learning_rate=1e-3, batch_size=4, warmup=0.5)
    losses = plain_loop(reference, pairs, 1e-3, 4, 0.05, 0.5)
    assert len(history) == steps
    np.testing.assert_allclose(history["loss"], losses, atol=1e-5)
    for (name, trained), expected in zip(model.named_parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(trained, expected, atol=1e-5, rtol=1e-4, msg=name)


def test_an_embedding_layer_alone_equals_a_plain_torch_loop(folder):
    """Rows without a gradient in a step are moved on by Adam's moments."""
    model = encoders.embedding_layer(small_bert(folder)[0], 64)
    before, reference = copy.deepcopy(model.state_dict()), copy.deepcopy(model)
    losses = train(model, pairs_of(), seed=1, learning_rate=1e-2, batch_size=4)["loss"]
    np.testing.assert_allclose(losses, plain_loop(reference, pairs_of(), 1e-2, 4, 0.05, 0.1), atol=1e-5)
    (name, trained), expected = next(model.named_parameters()), next(reference.parameters())
    torch.testing.assert_close(trained, expected, atol=1e-5, rtol=1e-4)
    moved = (trained != before[name]).any(dim=1)
    assert 0 < moved.sum() < len(moved)


def test_passes_of_an_embedding_layer_alone_are_as_large_as_memory_allows(folder, monkeypatch):
    """Every pass makes a gradient as large as the matrix."""
    model = small_bert(folder)
    layer = encoders.embedding_layer(model[0], 64)
    monkeypatch.setattr(training, "KEPT_ON_CPU", 1e9)
    assert training.tokens_of_passes(model) == (1024, int(1e9 / (100 * 3 * 16)) // 2)
    assert training.tokens_of_passes(layer) == (int(1e9 / (100 * 16)), int(1e9 / (100 * 16)) // 2)
    monkeypatch.setattr(training, "KEPT_ON_CPU", 100 * 3 * 16 * 10)
    assert training.tokens_of_passes(model) == (10, 5)


@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_memory_changes_no_weights(folder, monkeypatch, dropout):
    """Activations that are computed again are those of the first pass, dropout masks too."""
    found = []
    for kept in (10**12, 0, 30):
        monkeypatch.setattr(training, "tokens_of_passes", lambda model, kept=kept: (40, kept))
        model = small_bert(folder, dropout=dropout)
        losses = train(model, pairs_of(), seed=1, learning_rate=1e-3, batch_size=8, mask_fraction=0.2)["loss"]
        found.append((losses.tolist(), copy.deepcopy(model.state_dict())))
    for losses, weights in found[1:]:
        assert losses == found[0][0]
        assert same(weights, found[0][1])


@pytest.mark.parametrize("step", [1, 5, 11])
def test_a_kept_step_is_a_plain_torch_loop_stopped_there(folder, step):
    model = small_bert(folder, dropout=0.0)
    reference = copy.deepcopy(model)
    kept = []
    train(
        model,
        pairs_of(),
        seed=1,
        learning_rate=1e-3,
        batch_size=4,
        kept_steps=[str(step)],
        keep=lambda name, history: kept.append(copy.deepcopy(model)),
    )
    plain_loop(reference, pairs_of(), 1e-3, 4, 0.05, 0.1, stop=step)
    for (name, trained), expected in zip(kept[0].named_parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(trained, expected, atol=1e-5, rtol=1e-4, msg=name)


@pytest.mark.parametrize("name", ["epoch-0", "epoch-x", "final", "ten", "-1"])
def test_what_is_no_step_cannot_be_kept(name):
    with pytest.raises(InputError, match=f"step '{name}' cannot be kept: the run has 2 steps in 2 epochs"):
        training.steps_to_keep([name], [[0], [1]], np.array([0, 1]))


def test_weights_do_move(folder):
    model = small_bert(folder)
    before = copy.deepcopy(model.state_dict())
    train(model, pairs_of(), seed=1, learning_rate=1e-3, batch_size=4)
    moved = [name for name, weights in model.state_dict().items() if not torch.equal(weights, before[name])]
    assert any("layer.0" in name for name in moved)
    assert any("layer.1" in name for name in moved)
    assert any("word_embeddings" in name for name in moved)


def test_batches_keep_the_order_and_never_cross_epochs():
    epochs = np.array([0] * 10 + [1] * 10)
    found = training.batches_in_order(epochs, 4)
    assert [position for batch in found for position in batch] == list(range(20))
    assert [len(batch) for batch in found] == [4, 4, 2, 4, 4, 2]


def test_schedule_rises_over_a_part_of_the_first_epoch_and_falls_to_zero(folder):
    history = train(small_bert(folder), pairs_of(40, 2), seed=1, learning_rate=1e-3, batch_size=2, warmup=0.1)
    assert history["step"].tolist() == list(range(1, 41))
    assert history["epoch"].tolist() == [0] * 20 + [1] * 20
    expected = [step / 2 if step < 2 else (40 - step) / 38 for step in range(40)]
    np.testing.assert_allclose(history["learning_rate"], 1e-3 * np.array(expected), rtol=1e-6)


def test_the_last_short_batch_is_used(folder):
    history = train(small_bert(folder), pairs_of(), seed=1, batch_size=8)
    assert history["batch_size"].tolist() == [8, 8, 5, 8, 8, 5]


def run(folder, seed, precision="fp32", dropout=0.1):
    """The history and weights of one short run."""
    model = small_bert(folder, dropout=dropout)
    history = train(model, pairs_of(), seed=seed, learning_rate=1e-3, batch_size=4, precision=precision)
    return history["loss"].to_numpy(), model.state_dict()


@pytest.mark.slow
def test_the_seed_decides_the_dropout_masks_and_nothing_else_does(folder):
    one, weights = run(folder, 1)
    torch.manual_seed(999)
    again, same = run(folder, 1)
    other, _ = run(folder, 2)
    np.testing.assert_array_equal(one, again)
    assert all(torch.equal(weights[name], same[name]) for name in weights)
    assert not np.array_equal(one, other)


def test_dropout_is_on_and_anchor_and_positive_get_different_masks(folder):
    pairs = pairs_of(8, 1)
    pairs["positive"] = pairs["anchor"]
    with_dropout = train(small_bert(folder, dropout=0.3), pairs, seed=1, batch_size=8)["loss"][0]
    without = train(small_bert(folder, dropout=0.0), pairs, seed=1, batch_size=8)["loss"][0]
    assert abs(with_dropout - without) > 1e-3


@pytest.mark.slow
def test_bf16_follows_fp32_and_leaves_weights_in_fp32(folder):
    exact, _ = run(folder, 1, dropout=0.0)
    rounded, weights = run(folder, 1, "bf16", dropout=0.0)
    assert not np.array_equal(exact, rounded)
    np.testing.assert_allclose(rounded, exact, atol=0.1)
    assert {tensor.dtype for tensor in weights.values() if tensor.is_floating_point()} == {torch.float32}


@pytest.mark.parametrize("pooling", ["mean", "cls", "last", "token7"])
def test_every_pooling_can_be_the_target(folder, pooling):
    model = encoders.assemble(small_bert(folder)[0], pooling, 64)
    history = train(model, pairs_of(), seed=1, learning_rate=1e-3, batch_size=4)
    assert np.isfinite(history["loss"]).all()


STATES = ".states.unfinished"


def train_with_states(folder, learning_rate: float = 1e-3, stop: int = 0) -> dict[str, torch.Tensor]:
    """The weights after a run that saves its state after every step in `folder`; killed after step `stop` if not 0."""

    def keep(name: str, history: pd.DataFrame) -> None:
        if stop:
            raise KeyboardInterrupt

    model = small_bert(folder / "tokenizer")
    settings = {"seed": 1, "learning_rate": learning_rate, "batch_size": 8, "warmup": 1.0}
    settings |= {"kept_steps": [str(stop or 6)], "checkpoints": folder / STATES, "checkpoint_minutes": 0}
    train(model, pairs_of(), keep=keep, **settings)
    return copy.deepcopy(model.state_dict())


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.slow
@pytest.mark.parametrize("change", [cut, flipped])
@pytest.mark.parametrize("name", ["weights.safetensors", "optimizer.pt", "history.json", "checksums.json"])
def test_a_damaged_state_is_named_and_the_one_before_is_gone_on_from(tmp_path, caplog, name, change):
    undisturbed = train_with_states(tmp_path / "undisturbed")
    with pytest.raises(KeyboardInterrupt):
        train_with_states(tmp_path, stop=5)
    last = tmp_path / STATES / "checkpoint-4"
    assert sorted(path.name for path in last.parent.iterdir()) == ["checkpoint-3", "checkpoint-4"]
    (last / name).write_bytes(change((last / name).read_bytes()))
    with caplog.at_level(logging.INFO, logger="selfembed"):
        found = train_with_states(tmp_path)
    assert f"{last}: damaged; not used for resuming" in caplog.messages
    assert "resuming after step 3 of 6" in caplog.messages
    assert all(torch.equal(found[key], undisturbed[key]) for key in undisturbed)


def test_the_state_named_after_a_divergence_is_one_whose_next_step_went_well(tmp_path):
    with pytest.raises(InputError, match="loss is nan at step ") as error:
        train_with_states(tmp_path, learning_rate=1e30)
    step, kept, path = re.search(r"at step (\d+) .*state after step (\d+) is kept in (\S+)$", str(error.value)).groups()
    assert int(kept) == int(step) - 2
    weights = load_file(f"{path}/weights.safetensors")
    assert all(torch.isfinite(value).all() for value in weights.values())


def test_divergence_names_step_rate_and_batch(folder):
    model = small_bert(folder)
    with torch.no_grad():
        model[0].model.embeddings.word_embeddings.weight.fill_(float("nan"))
    with pytest.raises(
        InputError, match=r"loss is nan at step 1 of 6 \(epoch 0, learning rate .*, batch of 8: pairs 1 to 8\)"
    ):
        train(model, pairs_of(), seed=1, batch_size=8)


def test_a_collapse_is_told_with_step_rate_and_batch(folder, caplog):
    """All vectors become one: the loss is finite and stays at chance, which a sweep may want to show."""
    mnrl = losses_of_pairs.contrastive(torch.nn.Identity(), 0.05)
    history = training.History(
        [[2 * step, 2 * step + 1] for step in range(60)], np.zeros(120), {}, lambda *_: None, mnrl
    )
    losses = [0.3] * 10 + [np.log(2)] * 30 + [0.3] * 20
    with caplog.at_level(logging.WARNING, logger="selfembed"):
        for step, loss in enumerate(losses, start=1):
            state = SimpleNamespace(global_step=step)
            history.learning_rate = 5e-3
            history.on_log(SimpleNamespace(output_dir=str(folder)), state, None, logs={"loss": loss})
    expected = "loss at chance level since step 11 of 60 (epoch 0, learning rate 0.005, batch of 2: pairs 21 to 22)"
    assert caplog.messages == [f"{expected}; try a smaller learning_rate"]


def test_progress_is_logged(folder, caplog):
    with caplog.at_level(logging.INFO, logger="selfembed"):
        train(small_bert(folder), pairs_of(), seed=1, batch_size=8)
    assert "6 of 6 steps (100 %)" in caplog.text


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A base model and its pairs, as the script reads them: 6 steps of 4 pairs in 2 epochs."""
    place = tmp_path_factory.mktemp("study")
    encoders.save(small_bert(place / "tokenizer", max_length=128), place / "base" / "0", "card")
    texts = [". ".join(f"{SENTENCE} {text(6, number + part)}" for part in range(4)) for number in range(12)]
    pd.DataFrame({"id": range(12), "text": texts, "label": None, "title": None}).to_parquet(place / "corpus.parquet")
    flags = "--type crops --epochs 2 --seed 3 --corpus {0}/corpus.parquet --output {0}/pairs.parquet"
    make_pairs.main(f"{flags} --settings {{0}}/pairs.json".format(place).split())
    return place


def tuned(study, output, *flags):
    """The weights of `final/` of a run of the script."""
    fine_tune.main(
        f"--base {study}/base --pairs {study}/pairs.parquet --pairs-settings {study}/pairs.json --name run --seed 1"
        f" --batch-size 4 --learning-rate 1e-3 --device cpu --output {output}".split()
        + list(flags)
    )
    return load_file(output / "final" / "model.safetensors")


@pytest.mark.slow
def test_provenance_states_the_precision_used(study, tmp_path):
    """A CPU has no TF32."""
    tuned(study, tmp_path / "run", "--precision", "tf32")
    assert json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]["precision"] == "fp32"


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_keeping_steps_changes_nothing(study, tmp_path, precision):
    plain = tuned(study, tmp_path / "plain", "--precision", precision)
    kept = tuned(study, tmp_path / "kept", "--precision", precision, "--keep", "2", "epoch-1", "epoch-2")
    assert same(plain, kept)
    assert {path.name for path in (tmp_path / "kept").iterdir() if path.is_dir()} == {
        "2",
        "epoch-1",
        "epoch-2",
        "final",
    }
    base = load_file(study / "base" / "0" / "model.safetensors")
    steps = [base] + [load_file(tmp_path / "kept" / name / "model.safetensors") for name in ("2", "epoch-1", "epoch-2")]
    assert same(steps[3], kept)
    assert not any(same(one, other) for one, other in itertools.pairwise(steps))


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags", [("--projection", "8", "4"), ("--mask-fraction", "0.5"), ("--unfrozen-layers", "1"), ("--pooling", "cls")]
)
def test_every_flag_reaches_the_run_and_none_the_saved_model(study, tmp_path, flags):
    plain, changed = tuned(study, tmp_path / "plain"), tuned(study, tmp_path / "changed", *flags, "--keep", "3")
    assert plain.keys() == changed.keys()
    assert not same(plain, changed)
    for step in ("3", "final"):
        modules = json.loads((tmp_path / "changed" / step / "modules.json").read_text())
        assert [module["type"].rsplit(".", 1)[-1] for module in modules] == ["Transformer", "Pooling"]
    recipe = json.loads((tmp_path / "changed" / "run.json").read_text())["recipe"]
    value = recipe[flags[0].removeprefix("--").replace("-", "_")]
    assert (value if isinstance(value, list) else [value]) == [
        int(word) if word.isdecimal() else value for word in flags[1:]
    ]


def test_frozen_weights_of_a_saved_run_are_the_base_models_bytes(study, tmp_path):
    base = load_file(study / "base" / "0" / "model.safetensors")
    changed = tuned(study, tmp_path / "run", "--unfrozen-layers", "1")
    moved = {name for name in base if not torch.equal(base[name], changed[name])}
    assert moved
    assert all("layer.1." in name for name in moved)


def test_a_step_beyond_the_run_leaves_nothing(study, tmp_path):
    with pytest.raises(InputError, match="step '7' cannot be kept: the run has 6 steps in 2 epochs"):
        tuned(study, tmp_path / "run", "--keep", "7")
    assert list(tmp_path.iterdir()) == []
