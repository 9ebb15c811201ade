"""Low-rank changes of linear layers: what is trained, what is saved, and a run that is killed."""

import copy
import json

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from sentence_transformers import SentenceTransformer
from settings_examples import changed
from settings_examples import study as expanded
from small_architectures import small_checkpoint
from small_models import small_bert, text
from test_training import pairs_of, same, study, tuned  # noqa: F401 (a fixture)
from with_defaults import train

import fine_tune
from selfembed.errors import InputError
from selfembed.models import encoders, lora
from selfembed.settings.recipes import Recipe
from selfembed.study.validation import load

HOW = {"rank": 4, "alpha": 8, "target_modules": None, "seed": 1}
FLAGS = ("--rank", "4", "--alpha", "8")
TEXTS = [text(5, 1), text(12, 4), text(9, 11)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tokenizer")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bert", "mpnet", "albert", "gpt2", "t5_encoder", "qwen3", "modernbert"])
def test_merged_weights_give_the_vectors_of_the_trained_model_and_the_first_step_changes_all_layers(name, tmp_path):
    base = encoders.assemble(encoders.load(small_checkpoint(tmp_path, name)), "mean", 64)
    model = copy.deepcopy(base)
    lora.add(model, **HOW)
    np.testing.assert_allclose(model.encode(TEXTS), base.encode(TEXTS), atol=1e-6)  # B is zero
    before = copy.deepcopy(model.state_dict())
    train(model, pairs_of(8, 2), seed=1, learning_rate=1e-2, batch_size=4, warmup=0.0)
    moved = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    assert moved and all("lora_" in name for name in moved)
    found = lora.merge(model, copy.deepcopy(base))
    np.testing.assert_allclose(found.encode(TEXTS), model.encode(TEXTS), atol=1e-5)
    assert np.abs(found.encode(TEXTS) - base.encode(TEXTS)).max() > 1e-3
    assert found.state_dict().keys() == base.state_dict().keys()


def test_the_change_is_the_product_of_two_matrices_of_the_rank(folder):
    base = small_bert(folder)
    model = copy.deepcopy(base)
    lora.add(model, **HOW | {"target_modules": ["query", "value"]})
    train(model, pairs_of(8, 1), seed=1, learning_rate=1e-2, batch_size=4, warmup=0.0)
    found, before = lora.merge(model, copy.deepcopy(base)).state_dict(), base.state_dict()
    changes = {name: found[name] - before[name] for name in found if not torch.equal(found[name], before[name])}
    kinds = {name.rsplit(".", 2)[1] for name in changes}
    assert kinds == {"query", "value"} and len(changes) == 4
    weights = model.state_dict()
    for name, change in changes.items():
        of = f"{name.removesuffix('.weight')}.lora_"
        expected = 8 / 4 * weights[f"{of}B.default.weight"] @ weights[f"{of}A.default.weight"]
        torch.testing.assert_close(change, expected, atol=1e-6, rtol=1e-4)


def test_the_optimiser_has_moments_of_the_changes_alone(folder, tmp_path):
    model = small_bert(folder)
    lora.add(model, **HOW)
    kept = {"kept_steps": ["2"], "checkpoints": tmp_path, "checkpoint_minutes": 0}

    def stop(name, history):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(model, pairs_of(), seed=1, batch_size=8, keep=stop, **kept)
    moments = torch.load(tmp_path / "checkpoint-1" / "optimizer.pt", weights_only=True)["state"]
    assert {4 in state["exp_avg"].shape for state in moments.values()} == {True}
    assert len(moments) == 2 * 2 * 6  # both matrices of six layers in each of two; the pooler has no gradient


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_run_that_is_stopped_ends_with_the_same_bytes_and_saves_plain_folders(study, tmp_path, monkeypatch):  # noqa: F811
    flags = (
        *FLAGS,
        "--guide",
        "--projection",
        "8",
        "--keep",
        "3",
        "5",
        "interpolated-0.5",
        "--checkpoint-minutes",
        "0",
    )
    tuned(study, tmp_path / "unbroken", *flags)
    saved = encoders.save

    def killed(model, folder, card):
        saved(model, folder, card)
        if folder.name == "5":
            raise KeyboardInterrupt

    monkeypatch.setattr(encoders, "save", killed)
    with pytest.raises(KeyboardInterrupt):
        tuned(study, tmp_path / "broken", *flags)
    monkeypatch.undo()
    assert sorted(path.name for path in (tmp_path / ".broken.unfinished").glob("checkpoint-*"))
    tuned(study, tmp_path / "broken", *flags)
    found = contents(tmp_path / "broken")
    assert found == contents(tmp_path / "unbroken")
    assert not [name for name, content in found.items() if "adapter" in name.name or b"lora_A" in content]
    final, half, step = (
        SentenceTransformer(str(tmp_path / "broken" / name), device="cpu").state_dict()
        for name in ("final", "interpolated-0.5", "3")
    )
    base = encoders.load_whole(study / "base" / "0").state_dict()
    assert final.keys() == base.keys()
    assert not same(final, step) and not same(step, base)
    layers = {name for name in base if not torch.equal(final[name], base[name])}
    assert layers and all("encoder.layer" in name and name.endswith("weight") for name in layers)
    for name in base:
        torch.testing.assert_close(half[name], base[name] + 0.5 * (final[name] - base[name]))
    recipe = json.loads((tmp_path / "broken" / "run.json").read_text())["recipe"]
    assert {key: recipe[key] for key in recipe if key.startswith("lora")} == {"lora_rank": 4, "lora_alpha": 8}


def test_what_has_no_linear_layers_is_told_in_a_line(study, tmp_path):  # noqa: F811
    told = r"lora: Target modules .*not found.*; expected: names of linear layers in target_modules"
    with pytest.raises(InputError, match=told):
        tuned(study, tmp_path / "run", "--rank", "4", "--target-modules", "querry")
    assert not list(tmp_path.iterdir())
    changes = {"encoders.layer": {"type": "embedding_layer", "of": "tiny", "max_length": 64}}
    changes |= {"recipes.crops.lora": {}, "experiments.main.models.1.encoder": "layer"}
    with pytest.raises(
        InputError, match="encoder 'layer' has no layers, which lora changes; expected: a recipe without"
    ):
        load(changed(changes))
    with pytest.raises(ValidationError, match="both choose what is trained; expected: one of the two"):
        Recipe(augmentation="crops", lora={}, unfrozen_layers=1)


def test_a_recipe_with_and_one_without_have_their_own_names():
    two = {"adapted": {"augmentation": "crops", "lora": {"rank": 8}}, "crops": {"augmentation": "crops"}}
    models = [{"encoder": "tiny", "recipe": name} for name in two]
    models.append({"encoder": "tiny", "recipe": "adapted", "sweep": {"lora.rank": [2]}})
    found = expanded({"recipes": two, "experiments.main.models": models})
    names = {item.model.recipe for item in found.experiments["main"]}
    assert names == {"adapted", "crops", "adapted_rank-2"}
    assert found.recipes["adapted_rank-2"].lora.rank == 2 and found.recipes["crops"].lora is None


def test_records_of_runs_without_do_not_have_its_keys():
    assert fine_tune.of_few_runs(Recipe(augmentation="crops")) == {}
