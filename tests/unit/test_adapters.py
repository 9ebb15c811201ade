"""Adapters of BERT encoders: their formula, their road from file to saved model, what is refused."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import small_adapters
import torch
from safetensors.torch import load_file, save_file
from scipy.special import erf
from sentence_transformers import SentenceTransformer
from small_models import small_bert, small_distilbert, text
from small_tasks import vectors_of
from test_encoders import answer_of_a_stranger
from test_training import pairs_of
from with_defaults import embed_texts, train

import build_embedding_model
import build_pretrained_model
import fine_tune
import import_encoder
from local_servers import Hub, serving
from selfembed.errors import InputError
from selfembed.jobs.records import write_json
from selfembed.models import adapters, checkpoints, encoders
from selfembed.models.bert_with_adapter import BertWithAdapterConfig, OutputWithAdapter

TEXTS = [text(length) for length in (9, 30, 14)]
SCRIPTS = Path(encoders.__file__).parents[2]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """An encoder of two layers, without an adapter."""
    folder = tmp_path_factory.mktemp("plain")
    encoders.save(small_bert(folder / "tokenizer"), folder / "encoder", "card")
    return folder / "encoder"


@pytest.fixture(scope="module")
def base(plain, tmp_path_factory):
    """The base model of the encoder with an adapter, as the workflow makes it."""
    folder = tmp_path_factory.mktemp("base")
    small_adapters.save(folder / "theirs", small_adapters.weights())
    import_encoder.main(
        f"--type folder --path {plain} --layers 2 --adapter {folder}/theirs --output {folder}/encoders/specter".split()
    )
    build_pretrained_model.main(
        f"--encoder {folder}/encoders/specter --max-length 64 --output {folder}/base/specter".split()
    )
    return folder / "base" / "specter"


def embedded(folder, layers=(0, 1, 2), pooling="mean"):
    """Vectors of TEXTS, shape (layers, texts, dim)."""
    out = np.zeros((1, len(layers), len(TEXTS), 16), dtype=np.float32)
    embed_texts(encoders.load(folder), TEXTS, list(layers), [pooling], out, max_length=64)
    return out[0]


# The formula ----------------------------------------------------------------------------------------------------------


def test_one_vector_by_hand():
    """Two numbers a vector, so that LayerNorm gives its bias plus or minus its weight."""
    output = OutputWithAdapter(BertWithAdapterConfig(hidden_size=2, intermediate_size=1, adapter_width=1)).eval()
    given = {
        "dense.weight": [[1.0], [2.0]],
        "dense.bias": [0.0, 0.5],
        "LayerNorm.weight": [3.0, 1.0],
        "LayerNorm.bias": [0.0, 0.25],
        "adapter_down.weight": [[-1.0, 2.0]],
        "adapter_down.bias": [0.5],
        "adapter_up.weight": [[2.0], [1.5]],
        "adapter_up.bias": [0.5, 1.5],
    }
    output.load_state_dict({name: torch.tensor(values) for name, values in given.items()})
    with torch.no_grad():
        found = output(torch.tensor([[[2.0]]]), torch.tensor([[[0.0, -1.0]]]))
    # h = (2, 4.5); h + r = (2, 3.5); LayerNorm: (-3, 1.25); down: 3 + 2.5 + 0.5 = 6; up: (12.5, 10.5)
    # up + h + r = (14.5, 14); LayerNorm: (3, -0.75). Without r, or with the LayerNorm's result for h, it is (-3, 1.25).
    np.testing.assert_allclose(found.numpy(), [[[3.0, -0.75]]], atol=1e-5)


def normalised(vectors, weight, bias):
    centred = vectors - vectors.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12) * weight + bias


def test_every_layer_is_the_formula_in_numpy(base):
    """From the attention's output on, which the adapter leaves alone, in fp64."""
    encoder = encoders.load(base / "0")
    inputs = []
    for layer in encoder.model.encoder.layer:
        layer.attention.register_forward_hook(lambda module, given, output: inputs.append(output[0].double().numpy()))
    with torch.no_grad():
        found = encoder.model(**encoder.tokenizer(TEXTS[:1], return_tensors="pt"), output_hidden_states=True)
    weights = {name: value.double().numpy() for name, value in encoder.model.state_dict().items()}
    theirs = {name: value.double().numpy() for name, value in small_adapters.weights().items()}
    assert len(inputs) == 2
    for number, given in enumerate(inputs):
        place = f"encoder.layer.{number}"
        adapter = f"bert.{place}.output.adapters.[PRX]"
        wide = given @ weights[f"{place}.intermediate.dense.weight"].T + weights[f"{place}.intermediate.dense.bias"]
        wide = wide * (1 + erf(wide / np.sqrt(2))) / 2
        h = wide @ weights[f"{place}.output.dense.weight"].T + weights[f"{place}.output.dense.bias"]
        norm = weights[f"{place}.output.LayerNorm.weight"], weights[f"{place}.output.LayerNorm.bias"]
        down = normalised(h + given, *norm) @ theirs[f"{adapter}.adapter_down.0.weight"].T
        down = np.maximum(down + theirs[f"{adapter}.adapter_down.0.bias"], 0)
        up = down @ theirs[f"{adapter}.adapter_up.weight"].T + theirs[f"{adapter}.adapter_up.bias"]
        np.testing.assert_allclose(found.hidden_states[number + 1], normalised(up + h + given, *norm), atol=1e-5)


def test_an_adapter_of_zeros_changes_nothing(plain, tmp_path):
    zeros = {name: torch.zeros_like(value) for name, value in small_adapters.weights().items()}
    small_adapters.save(tmp_path / "theirs", zeros)
    import_encoder.main(
        f"--type folder --path {plain} --layers 2 --adapter {tmp_path}/theirs --output {tmp_path}/encoder".split()
    )
    np.testing.assert_allclose(embedded(tmp_path / "encoder"), embedded(plain), atol=1e-6)


# From file to saved model ---------------------------------------------------------------------------------------------


def test_an_adapter_changes_every_layer_but_the_embeddings(plain, base):
    with_it, without = embedded(base / "0"), embedded(plain)
    np.testing.assert_array_equal(with_it[0], without[0])
    assert np.abs(with_it[1] - without[1]).max() > 0.1
    assert np.abs(with_it[2] - without[2]).max() > 0.1


@pytest.mark.parametrize("pooling", ["mean", "cls", "last"])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_cut_model_is_that_layer(base, layer, pooling):
    found = vectors_of(base / "0", TEXTS, pooling, layer)
    np.testing.assert_allclose(found, embedded(base / "0", pooling=pooling)[layer], atol=1e-5)


@pytest.mark.parametrize("layers", [0, 1, 2])
def test_a_cut_checkpoint_is_that_layer(base, layers):
    folder = base.parents[1] / "encoders" / "specter"
    cut = encoders.assemble(encoders.load(folder, layers=layers), "mean", 64)
    np.testing.assert_allclose(cut.encode(TEXTS), embedded(base / "0")[layers], atol=1e-5)


@pytest.mark.slow
def test_a_run_trains_encoder_and_adapter_and_anyone_can_load_its_result(base, tmp_path):
    model = encoders.assemble(encoders.load(base / "0"), "mean", 64)
    before = {name: value.clone() for name, value in model[0].model.state_dict().items()}
    train(model, pairs_of(), seed=1, learning_rate=1e-3, batch_size=8)
    moved = {name for name, value in model[0].model.state_dict().items() if not torch.equal(value, before[name])}
    # A bias of the keys adds the same to all scores of a softmax: its gradient is zero. The pooler is not used.
    unmoved = {name for name in before if name not in moved and not name.startswith("pooler.")}
    assert all(name.endswith(("attention.self.key.bias", "_ids")) for name in unmoved), unmoved
    assert sum("adapter" in name for name in moved) == 8
    encoders.save(model, tmp_path / "tuned", "card")
    assert not list((tmp_path / "tuned").glob("*.bin"))
    loaded = SentenceTransformer(str(tmp_path / "tuned"), trust_remote_code=True, device="cpu")
    np.testing.assert_allclose(loaded.encode(TEXTS), embedded(tmp_path / "tuned")[2], atol=1e-5)
    np.testing.assert_allclose(loaded.encode(TEXTS), model.encode(TEXTS), atol=1e-5)
    done = answer_of_a_stranger(tmp_path / "tuned", ", trust_remote_code=True")
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(json.loads(done.stdout.splitlines()[-1]), model.encode(TEXTS)[1], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_scripts_tune_keep_and_embed_it(base, tmp_path, precision):
    """Steps that a run keeps are whole models; the card says how they are loaded."""
    pairs_of().to_parquet(tmp_path / "pairs.parquet")
    write_json({"settings": {"type": "crops"}}, tmp_path / "pairs.json")
    fine_tune.main(
        f"--base {base} --pairs {tmp_path}/pairs.parquet --pairs-settings {tmp_path}/pairs.json --name run --seed 1"
        f" --batch-size 8 --learning-rate 1e-3 --max-length 64 --precision {precision} --keep 2 --device cpu"
        f" --output {tmp_path}/run".split()
    )
    found = [
        load_file(folder / "model.safetensors") for folder in (base / "0", tmp_path / "run/2", tmp_path / "run/final")
    ]
    name = "encoder.layer.1.output.adapter_up.weight"
    assert not any(torch.equal(one[name], other[name]) for one, other in itertools.combinations(found, 2))
    assert "trust_remote_code=True" in (tmp_path / "run/2/README.md").read_text()
    loaded = SentenceTransformer(str(tmp_path / "run/2"), trust_remote_code=True, device="cpu")
    np.testing.assert_allclose(loaded.encode(TEXTS), embedded(tmp_path / "run/2")[2], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("part", ["layer", "module"])
def test_the_embeddings_of_an_encoder_with_an_adapter_are_those_without(plain, base, tmp_path, part):
    """A stranger may load them."""
    build_embedding_model.main(
        f"--base {base} --part {part} --name part --max-length 64 --output {tmp_path}/one".split()
    )
    done = answer_of_a_stranger(tmp_path / "one" / "0", ", trust_remote_code=True")
    assert done.returncode == 0, done.stderr
    without = encoders.load(plain, layers=0 if part == "module" else None)
    owner = encoders.assemble(without, "mean", 64) if part == "module" else encoders.embedding_layer(without, 64)
    np.testing.assert_allclose(json.loads(done.stdout.splitlines()[-1]), owner.encode(TEXTS)[1], atol=1e-5)


def test_the_base_model_says_how_it_is_loaded_and_what_it_was_made_of(base):
    card = (base / "0" / "README.md").read_text()
    assert 'SentenceTransformer("path/to/this/folder", trust_remote_code=True)' in card
    assert "with its adapter" in card
    facts = json.loads((base / "model.json").read_text())
    assert facts["adapter"] == {"name": "[PRX]"}
    assert len(facts["adapter_weights"]) == 64


def test_an_adapter_is_frozen_and_trained_with_its_layer(base):
    encoder = encoders.load(base / "0")
    encoders.freeze_below(encoder, 1)
    trainable = [name for name, weights in encoder.model.named_parameters() if weights.requires_grad]
    assert all(name.startswith("encoder.layer.1.") for name in trainable)
    assert sum("adapter" in name for name in trainable) == 4


@pytest.mark.parametrize("name", ["specter2", "a.b", "task/one"])
def test_an_adapter_may_have_any_name(plain, base, tmp_path, name):
    tensors = small_adapters.weights(name)
    adapters.copy(small_adapters.save(tmp_path / "theirs", tensors, name=name), tmp_path / "ours")
    encoder = encoders.load(plain)
    adapters.add(encoder, tmp_path / "ours", 2)
    np.testing.assert_allclose(encoders.assemble(encoder, "mean", 64).encode(TEXTS), embedded(base / "0")[2], atol=1e-5)


def test_weights_may_be_safetensors_already(tmp_path):
    folder = small_adapters.save(tmp_path / "theirs", small_adapters.weights())
    (folder / "pytorch_adapter.bin").unlink()
    save_file(small_adapters.weights(), folder / "adapter.safetensors")
    adapters.copy(folder, tmp_path / "ours")
    assert sorted(path.name for path in (tmp_path / "ours").iterdir()) == ["adapter.safetensors", "adapter_config.json"]


# What is refused ------------------------------------------------------------------------------------------------------

OTHERS = {
    "mh_adapter": True,
    "output_adapter": False,
    "original_ln_before": False,
    "non_linearity": "gelu",
    "original_ln_after": False,
    "ln_before": True,
    "ln_after": True,
    "residual_before_ln": "post_add",
    "adapter_residual_before_ln": True,
    "is_parallel": True,
    "cross_adapter": True,
    "scaling": "learned",
    "use_gating": True,
    "phm_layer": True,
    "inv_adapter": "nice",
    "leave_out": [0],
    "dropout": 0.1,
    "stochastic_depth": 0.5,
    "reduction_factor": {"default": 16},
}


def problem(plain, folder, **changes):
    """What is said of an adapter that differs from the small one in some way."""
    tensors = changes.pop("tensors", small_adapters.weights())
    small_adapters.save(folder / "theirs", tensors, **changes)
    command = f"--type folder --path {plain} --layers 2 --adapter {folder}/theirs --output {folder}/encoder"
    with pytest.raises(InputError) as caught:
        import_encoder.main(command.split())
    assert not (folder / "encoder").exists()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("key", OTHERS)
def test_another_kind_of_adapter_is_refused(plain, tmp_path, key):
    said = problem(plain, tmp_path, **{key: OTHERS[key]})
    assert f"theirs/adapter_config.json: config.{key}: {OTHERS[key]!r} is invalid; expected: " in said


def test_every_key_that_has_a_meaning_is_one_that_is_refused():
    assert set(OTHERS) == {*adapters.STATED, *adapters.ASSUMED, adapters.FACTOR}
    assert all(key in OTHERS or adapters.WITHOUT_MEANING.fullmatch(key) for key in small_adapters.CONFIG)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"new_key": 1}, "config.new_key: 1 is not known; expected: mh_adapter"),
        ({"reduction_factor": 0}, "config.reduction_factor: 0 is invalid; expected: a number above 0"),
        ({"reduction_factor": True}, "config.reduction_factor: True is invalid"),
        ({"use_gating": 0}, "config.use_gating: 0 is invalid; expected: False"),
        ({"others": {"model_type": "roberta"}}, "model_type: 'roberta' is invalid; expected: 'bert'"),
        ({"others": {"hidden_size": 768}}, "hidden_size: 768 is invalid; expected: 16"),
        ({"others": {"name": None}}, "name: None is invalid; expected: text"),
        ({"others": {"config": "pfeiffer"}}, "cannot be read; expected: the config of an adapter"),
        ({"reduction_factor": 8}, "adapter_down.0.weight: shape [4, 16] is invalid; expected: [2, 16]"),
        ({"tensors": small_adapters.weights(layers=1)}, "layer.1.output.adapters.[PRX].adapter_down.0.weight is miss"),
        ({"tensors": small_adapters.weights(layers=3)}, "layer.2.output.adapters.[PRX].adapter_down.0.bias is not kn"),
        ({"tensors": small_adapters.weights("other")}, "adapters.[PRX].adapter_down.0.weight is missing"),
        ({"tensors": small_adapters.weights() | {"heads.x": torch.ones(1)}}, "heads.x is not known"),
        ({"tensors": [torch.ones(1)]}, "contains objects other than named tensors"),
        ({"tensors": {"a": 1}}, "contains objects other than named tensors"),
    ],
)
def test_what_does_not_fit_is_refused(plain, tmp_path, changes, said):
    assert said in problem(plain, tmp_path, **changes)


@pytest.mark.parametrize("key", adapters.STATED)
def test_what_the_library_assumes_otherwise_must_be_said(tmp_path, key):
    folder = small_adapters.save(tmp_path / "theirs", small_adapters.weights())
    path = folder / "adapter_config.json"
    found = json.loads(path.read_text())
    del found["config"][key]
    path.write_text(json.dumps(found))
    with pytest.raises(InputError, match=rf"config\.{key} is missing; expected: "):
        adapters.read_config(path)


def test_an_encoder_that_is_no_bert_is_refused(tmp_path):
    encoders.save(small_distilbert(tmp_path / "checkpoint"), tmp_path / "encoder", "card")
    assert "the encoder is of type 'distilbert'; expected: adapters of a 'bert'" in problem(
        tmp_path / "encoder", tmp_path / "work"
    )


@pytest.mark.parametrize("name", ["adapter_config.json", "pytorch_adapter.bin"])
def test_a_file_that_is_missing_or_empty_is_one_line(plain, tmp_path, name):
    folder = small_adapters.save(tmp_path / "theirs", small_adapters.weights())
    (folder / name).write_bytes(b"")
    with pytest.raises(InputError, match=f"{name}: cannot be read"):
        adapters.copy(folder, tmp_path / "ours")
    (folder / name).unlink()
    with pytest.raises(InputError, match=f"no .*{name}.*; expected: an adapter of the adapters library"):
        adapters.copy(folder, tmp_path / "others")


def test_an_empty_checkpoint_is_one_line(tmp_path):
    (tmp_path / "empty.bin").touch()
    with pytest.raises(InputError, match=r"empty.bin: cannot be read without running code"):
        checkpoints.convert([tmp_path / "empty.bin"], tmp_path / "weights.safetensors")


# From the hub ---------------------------------------------------------------------------------------------------------

ADAPTER_REVISION = "c" * 40


class TwoRepositories(Hub):
    """A hub with an encoder, and an adapter at a revision of its own."""

    adapter = None

    def answer(self, body):
        """Serve the one that is asked for."""
        if "team/adapter" in self.path:
            self.repository, self.revision, self.folder = "team/adapter", ADAPTER_REVISION, self.adapter
        super().answer(body)


def download(plain, adapter, output, *arguments):
    """Run the script against a hub with the encoder and an adapter."""
    command = [sys.executable, str(SCRIPTS / "download_encoder.py"), "--id", "team/encoder", "--revision", "a" * 40]
    command += ["--layers", "2", "--output", str(output), *arguments]
    with serving(TwoRepositories, folder=plain, adapter=adapter) as (hub, _):
        environment = {"HF_ENDPOINT": hub, "HF_HOME": str(output.parent / "home"), "HF_HUB_DISABLE_XET": "1"}
        return subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)


@pytest.mark.slow
@pytest.mark.parametrize("pinned", [True, False])
def test_an_adapter_is_downloaded_with_its_encoder(plain, base, tmp_path, pinned):
    theirs = small_adapters.save(tmp_path / "theirs", small_adapters.weights())
    revision = ["--adapter-revision", ADAPTER_REVISION] if pinned else []
    done = download(plain, theirs, tmp_path / "encoder", "--adapter-id", "team/adapter", *revision)
    assert done.returncode == 0, done.stderr
    assert pinned == (f"team/adapter: revision is not pinned; newest is {ADAPTER_REVISION}" not in done.stderr)
    np.testing.assert_allclose(embedded(tmp_path / "encoder"), embedded(base / "0"), atol=1e-5)
    source = json.loads((tmp_path / "encoder" / "adapter" / "revision.json").read_text())
    assert source == {"repository": "team/adapter", "revision": ADAPTER_REVISION, "pinned": pinned}
    assert not list((tmp_path / "encoder").rglob("*.bin"))
    build_pretrained_model.main(f"--encoder {tmp_path}/encoder --output {tmp_path}/base".split())
    facts = json.loads((tmp_path / "base" / "model.json").read_text())
    assert facts["adapter"] == source | {"name": "[PRX]"}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--adapter-id", "team/none"], "hub: no repository 'team/none'"),
        (["--adapter-id", "team/adapter", "--adapter-revision", "b" * 40], "'team/adapter' has no revision bbbb"),
        (["--adapter-id", "team/encoder", "--adapter-revision", "a" * 40], "has no adapter_config.json"),
        (["--adapter-id", "team/adapter"], "config.ln_after: True is invalid; expected: False"),
    ],
)
def test_a_bad_adapter_is_one_line_and_nothing_is_left(plain, tmp_path, arguments, said):
    theirs = small_adapters.save(tmp_path / "theirs", small_adapters.weights(), ln_after=True)
    done = download(plain, theirs, tmp_path / "encoder", *arguments)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert said in line
    assert not (tmp_path / "encoder").exists()
