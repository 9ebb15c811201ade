"""Models between an encoder before fine-tuning and a fine-tuned one."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from small_models import text
from test_own_modules import made
from test_own_modules import tuned as tuned_with_own_modules
from test_training import study, tuned  # noqa: F401 (a fixture)

import embed
from selfembed.models import interpolation
from selfembed.training import training

STEPS = {"interpolated-0.25": 0.25, "interpolated-0.5": 0.5, "interpolated-0.07": 0.07}


@pytest.mark.parametrize(
    ("step", "fraction"), [*STEPS.items(), ("interpolated-0.50", 0.5), ("interpolated-0.99", 0.99)]
)
def test_fractions_are_above_zero_and_below_one_with_at_most_two_decimals(step, fraction):
    assert interpolation.fraction_of(step) == fraction


NO_FRACTIONS = [f"interpolated-{word}" for word in ("0", "0.0", "0.00", "1", "1.0", "1.5", "0.125", ".5", "0.5x", "")]


@pytest.mark.parametrize("step", [*NO_FRACTIONS, "interpolated", "final", "3", "epoch-1"])
def test_other_names_are_no_interpolated_steps(step):
    assert interpolation.fraction_of(step) is None


def test_interpolated_steps_are_none_of_the_optimiser():
    assert training.steps_to_keep([*STEPS, "2"], [[0], [1]], np.array([0, 1])) == {2: ["2"]}


@pytest.mark.parametrize("step", NO_FRACTIONS)
def test_bad_fractions_are_one_line(step):
    with pytest.raises(
        training.InputError, match=f"^step '{step}' cannot be kept.* interpolated-0.01 to interpolated-0.99$"
    ):
        training.steps_to_keep([step], [[0], [1]], np.array([0, 1]))


def test_buffers_are_interpolated_and_tied_weights_once(tmp_path):
    def model(value):
        found = torch.nn.Sequential(torch.nn.Linear(3, 3, bias=False), torch.nn.Linear(3, 3, bias=False))
        found[1].weight = found[0].weight
        torch.nn.init.constant_(found[0].weight, value)
        found.register_buffer("scale", torch.tensor([value]))
        found.register_buffer("count", torch.tensor([int(value)]))
        return found

    start = model(1.0)
    interpolation.move(start, model(3.0), 0.25)
    assert start[1].weight.eq(1.5).all()
    assert start[0].weight is start[1].weight
    assert (start.scale.item(), start.count.item()) == (1.5, 3)


def between(start, end, fraction):
    return {name: start[name] + np.float32(fraction) * (end[name] - start[name]) for name in start}


@pytest.mark.slow
def test_weights_are_the_fraction_of_the_way_and_frozen_layers_those_of_the_base(study, tmp_path):  # noqa: F811
    flags = ("--unfrozen-layers", "1", "--projection", "8", "--keep", *STEPS)
    final = tuned(study, tmp_path / "run", *flags)
    plain = tuned(study, tmp_path / "plain", *flags[:4])
    assert all(torch.equal(plain[name], final[name]) for name in final)
    base = load_file(study / "base" / "0" / "model.safetensors")
    for step, fraction in STEPS.items():
        found = load_file(tmp_path / "run" / step / "model.safetensors")
        expected = between(base, final, fraction)
        assert found.keys() == expected.keys()
        for name in found:
            assert torch.equal(found[name], expected[name]), name
            assert torch.equal(found[name], base[name]) == torch.equal(final[name], base[name]), name
        model = SentenceTransformer(str(tmp_path / "run" / step), device="cpu")
        assert model.max_seq_length == SentenceTransformer(str(tmp_path / "run" / "final"), device="cpu").max_seq_length
        assert f"plus {fraction:g} times" in (tmp_path / "run" / step / "README.md").read_text()
        corpus = pd.read_parquet(study / "corpus.parquet")
        words = f"--model {tmp_path}/run/{step} --corpus {study}/corpus.parquet --layers last --poolings mean"
        embed.main(f"{words} --device cpu --output {tmp_path}/{step}".split())
        np.testing.assert_allclose(
            np.load(tmp_path / step / "embeddings.npy")[0, 0], model.encode(corpus["text"].tolist()), atol=1e-5
        )


@pytest.mark.slow
def test_own_modules_are_interpolated_too(tmp_path):
    _, base = made(tmp_path, "Dense")
    _, run = tuned_with_own_modules(tmp_path, base, "--keep", "interpolated-0.5")
    for module in (".", "2_Dense"):
        start, found, end = (
            load_file(place / module / "model.safetensors") for place in (base, run / "interpolated-0.5", run / "final")
        )
        expected = between(start, end, 0.5)
        assert all(torch.equal(found[name], expected[name]) for name in expected)
        assert any(not torch.equal(start[name], end[name]) for name in expected)
    models = [SentenceTransformer(str(run / step), device="cpu") for step in ("final", "interpolated-0.5")]
    assert len({(one.max_seq_length, str(one.prompts), one.encode(text(3)).shape) for one in models}) == 1
