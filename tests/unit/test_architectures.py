"""Encoders of many architectures, from a folder to a published model; and those that cannot be used."""

import json
import logging
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from small_architectures import (
    ARCHITECTURES,
    LAYERS,
    POSITIONS,
    TEXTS,
    WIDTH,
    change_json,
    small_checkpoint,
    small_tokenizer,
    split_weights,
)
from small_models import text
from small_tasks import vectors_of
from with_defaults import embed_texts, train

import build_embedding_model
import build_pretrained_model
import import_encoder
from selfembed.errors import InputError
from selfembed.jobs.records import checksum, checksum_of_files
from selfembed.models import checkpoints, encoders
from selfembed.proposals import base_encoder, proposals
from selfembed.training import training

POOLINGS = ["mean", "cls", "last"]
MAX_LENGTH = 32
PAIRS = pd.DataFrame(
    {
        "epoch": 0,
        "anchor": [text(length, 3 * length) for length in (3, 25, 4, 12, 7, 2, 30, 9)],
        "positive": [text(length, 5 * length) for length in (20, 3, 8, 5, 14, 28, 2, 6)],
    }
)


def imported(folder, output):
    """The encoder as its import leaves it."""
    import_encoder.main(f"--type folder --path {folder} --layers {LAYERS} --output {output}".split())
    return output


def base_model(tmp_path, name, **changes):
    """Step 0 of an encoder."""
    encoder = imported(small_checkpoint(tmp_path / name, name, **changes), tmp_path / "encoder")
    build_pretrained_model.main(f"--encoder {encoder} --max-length {MAX_LENGTH} --output {tmp_path}/base".split())
    return tmp_path / "base" / "0"


def embedded(folder, layers=range(LAYERS + 1), texts=TEXTS, tokens_per_batch=100):
    """Vectors of a saved model, shape (poolings, layers, texts, dim)."""
    out = np.full((len(POOLINGS), len(layers), len(texts), WIDTH), np.nan, dtype=np.float32)
    how = {"max_length": MAX_LENGTH, "tokens_per_batch": tokens_per_batch}
    embed_texts(encoders.load(folder), texts, list(layers), POOLINGS, out, **how)
    return out


def check_equal(one, other):
    np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def check_published(folder, tmp_path):
    """What anyone gets who loads a saved model equals our vectors, batch by batch and text by text."""
    vectors = embedded(folder, [LAYERS])[:, 0]
    check_equal(embedded(folder, [LAYERS], tokens_per_batch=1)[:, 0], vectors)
    for pooling, expected in zip(POOLINGS, vectors, strict=True):
        saved = tmp_path / f"{folder.name}_{pooling}"
        encoders.save(encoders.assemble(encoders.load(folder), pooling, MAX_LENGTH), saved, "card")
        loaded = SentenceTransformer(str(saved), device="cpu")
        check_equal(loaded.encode(TEXTS), expected)
        check_equal(np.stack([loaded.encode(one_text) for one_text in TEXTS]), expected)


def fine_tuned(folder, pooling, monkeypatch, tokens_per_pass):
    """A model after two steps, and the losses."""
    monkeypatch.setattr(training, "TOKENS_PER_PASS", {"cpu": tokens_per_pass})
    model = encoders.assemble(encoders.load(folder), pooling, MAX_LENGTH)
    return model, train(model, PAIRS, seed=1, batch_size=4, learning_rate=1e-3)["loss"].to_numpy()


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_one_model_from_its_import_to_its_publication(tmp_path, monkeypatch, name):
    base = base_model(tmp_path, name)
    check_published(base, tmp_path)
    vectors = embedded(base)
    for layer in range(LAYERS + 1):
        for pooling, expected in zip(POOLINGS, vectors[:, layer], strict=True):
            check_equal(vectors_of(base, TEXTS, pooling, layer, MAX_LENGTH), expected)
    model, losses = fine_tuned(base, "last", monkeypatch, 40)
    _, plain_losses = fine_tuned(base, "last", monkeypatch, 10**6)
    check_equal(losses, plain_losses)
    encoders.save(model, tmp_path / "tuned", "card")
    assert np.abs(embedded(tmp_path / "tuned") - vectors).max() > 1e-4
    check_equal(
        SentenceTransformer(str(tmp_path / "tuned"), device="cpu").encode(TEXTS), embedded(tmp_path / "tuned")[2, -1]
    )
    check_published(tmp_path / "tuned", tmp_path)


# Padding


@pytest.mark.parametrize("place", ["tokenizer_config.json", "tokenizer.json"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_no_side_of_padding_cuts_texts_in_training(tmp_path, monkeypatch, place, pooling):
    """And the model that is saved pads as we do, wherever its tokenizer had its side from."""
    folder = small_checkpoint(tmp_path / "qwen3", "qwen3", padding_side="right")
    right = fine_tuned(folder, pooling, monkeypatch, 10**6)[1]
    if place == "tokenizer.json":
        padding = {"strategy": "BatchLongest", "direction": "Left", "pad_to_multiple_of": None}
        change_json(folder / place, padding=padding | {"pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>"})
        config = json.loads((folder / "tokenizer_config.json").read_text())
        config.pop("padding_side", None)
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    else:
        change_json(folder / place, padding_side="left")
    check_equal(fine_tuned(folder, pooling, monkeypatch, 40)[1], right)
    check_equal(fine_tuned(folder, pooling, monkeypatch, 10**6)[1], right)
    encoders.save(encoders.assemble(encoders.load(folder), pooling, MAX_LENGTH), tmp_path / "saved", "card")
    expected = embedded(folder, [LAYERS])[POOLINGS.index(pooling), 0]
    check_equal(SentenceTransformer(str(tmp_path / "saved"), device="cpu").encode(TEXTS), expected)


def test_parts_of_a_batch_that_is_padded_on_the_left_are_whole(tmp_path):
    """Also where a model was loaded in another way."""
    from selfembed.embeddings.forward import by_length

    model = encoders.assemble(encoders.load(small_checkpoint(tmp_path, "qwen3")), "mean", MAX_LENGTH).eval()
    model.tokenizer.padding_side = "left"
    features = model.preprocess(TEXTS)
    assert not features["attention_mask"][:, 0].all()
    with torch.no_grad():
        parts = by_length(model.forward, 40, 0)(features)["sentence_embedding"]
        check_equal(parts, model(features)["sentence_embedding"])


def test_a_chat_template_is_not_put_around_texts(tmp_path):
    """sentence-transformers would otherwise embed a chat, and we the text."""
    folder = small_checkpoint(tmp_path / "qwen2", "qwen2")
    model = encoders.assemble(encoders.load(folder), "mean", MAX_LENGTH)
    assert model.tokenizer.decode(model.preprocess([text(3)])["input_ids"][0]).strip() == text(3)


def test_a_text_without_tokens_has_vectors_as_in_sentence_transformers(tmp_path):
    folder = small_checkpoint(tmp_path, "gpt2")
    texts = ["", text(5)]
    for pooling, expected in zip(POOLINGS, embedded(folder, [LAYERS], texts)[:, 0], strict=True):
        check_equal(encoders.assemble(encoders.load(folder), pooling, MAX_LENGTH).encode(texts), expected)


# Layers


@pytest.mark.parametrize("name", ["longformer", "qwen3", "gemma3"])
def test_an_encoder_with_a_setting_per_layer_is_cut(tmp_path, name):
    folder = small_checkpoint(tmp_path, name)
    for layers in range(1, LAYERS + 1):
        encoder = encoders.load(folder, layers=layers)
        assert encoder.model.config.num_hidden_layers == layers
        assert np.isfinite(encoders.assemble(encoder, "mean", MAX_LENGTH).encode(TEXTS)).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("part", ["layer", "module"])
def test_embeddings_alone_of_every_architecture(tmp_path, name, part):
    """What cannot be cut to its embedding module, as implemented in transformers, is refused in one line."""
    owner = encoders.assemble(encoders.load(small_checkpoint(tmp_path / name, name)), "mean", MAX_LENGTH)
    encoders.save(owner, tmp_path / "base" / "0", "card")
    words = f"--base {tmp_path}/base --part {part} --name part --max-length {MAX_LENGTH} --output {tmp_path}/part"
    if part == "module" and name in ("modernbert", "deberta_v2", "longformer"):
        with pytest.raises(InputError, match=r"(part|base/0): .*; expected: an encoder ") as refused:
            build_embedding_model.main(words.split())
        assert "\n" not in str(refused.value)
        return
    build_embedding_model.main(words.split())
    encoder = encoders.load(tmp_path / "part" / "0")
    out = np.zeros((1, 1, len(TEXTS), encoder.get_embedding_dimension()), dtype=np.float32)
    embed_texts(encoder, TEXTS, [0], ["mean"], out, max_length=MAX_LENGTH)
    loaded = SentenceTransformer(str(tmp_path / "part" / "0"), device="cpu", trust_remote_code=part == "layer")
    check_equal(loaded.encode(TEXTS), out[0, 0])


# Encoders that cannot be used


def more_tokens(folder):
    tokenizer = small_tokenizer()
    tokenizer.add_tokens(["selfembed"])
    tokenizer.save_pretrained(folder)


def no_padding(folder):
    small_tokenizer(pad_token=None, eos_token=None).save_pretrained(folder)


def with_nan(folder):
    weights = load_file(folder / "model.safetensors")
    name = next(name for name in weights if name.endswith("layer.1.output.dense.weight"))
    save_file(weights | {name: weights[name] * torch.nan}, folder / "model.safetensors", {"format": "pt"})


def without_a_layer(folder):
    weights = load_file(folder / "model.safetensors")
    kept = {name: tensor for name, tensor in weights.items() if "layer.1." not in name}
    save_file(kept, folder / "model.safetensors", {"format": "pt"})


UNUSABLE = {
    "tokens without a row": (
        "bert",
        more_tokens,
        "1 tokens of the tokenizer, such as 'selfembed', are not among",
    ),
    "no padding token": ("bert", no_padding, "no padding token; expected: pad_token in tokenizer_config.json"),
    "not a number": ("bert", with_nan, "vectors with NaN or infinite values; expected: finite weights"),
    "a layer is missing": ("bert", without_a_layer, "model.safetensors lacks 16 tensors"),
    "encoder and decoder": (
        "bart",
        None,
        "BartModel outputs 1 of 1 layers in the shape .*; expected: 4 of 4, as in an",
    ),
    "other lengths": ("funnel", None, "FunnelModel outputs .* layers in the shape .*; expected: 4 of 4, as in an"),
    "padding that is not masked": ("fnet", None, "vectors of a text depend on its batch; expected: an encoder that"),
}


@pytest.mark.parametrize("case", UNUSABLE)
@pytest.mark.parametrize("step", ["import", "proposal"])
def test_an_encoder_that_cannot_be_used_is_one_line_at_once(tmp_path, case, step):
    name, spoil, message = UNUSABLE[case]
    folder = small_checkpoint(tmp_path / name, name)
    if spoil:
        spoil(folder)
    with pytest.raises(InputError, match=message) as refused:
        if step == "import":
            imported(folder, tmp_path / "encoder")
        else:
            base_encoder.encoder_from(str(folder), fetch_config=None)
    assert str(refused.value).startswith(f"{folder}: ")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "encoder").exists()


def test_the_end_token_pads_where_there_is_no_other(tmp_path, caplog):
    with caplog.at_level(logging.INFO, logger="selfembed"):
        encoder = encoders.load(small_checkpoint(tmp_path, "gpt2"))
    assert "the tokenizer has no padding token; its end token </s> is used" in caplog.messages
    assert encoder.tokenizer.pad_token == "</s>"


def test_an_encoder_without_a_limit_of_positions_has_a_length(tmp_path):
    """XLNet says that it has -1 positions."""
    assert base_encoder.longest(small_checkpoint(tmp_path / "xlnet", "xlnet")) == base_encoder.LONGEST_TOKENS
    assert base_encoder.longest(small_checkpoint(tmp_path / "t5", "t5_encoder")) == base_encoder.LONGEST_TOKENS
    assert base_encoder.longest(small_checkpoint(tmp_path / "bert", "bert")) == POSITIONS - 2


# Weights in other files


def in_parts(folder):
    """Split the weights of a folder into two files with an index."""
    split_weights(folder / "model.safetensors")


def as_pickle(folder):
    """Save the weights of a folder in PyTorch's format."""
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


@pytest.mark.parametrize("change", [in_parts, as_pickle])
def test_weights_in_parts_or_as_a_pickle_become_one_safetensors_file(tmp_path, change):
    folder = small_checkpoint(tmp_path / "bert", "bert")
    expected = load_file(folder / "model.safetensors")
    change(folder)
    proposed = base_encoder.encoder_from(str(folder), fetch_config=None)
    assert (proposed.name, proposed.settings["layers"]) == ("bert", LAYERS)
    found = load_file(imported(folder, tmp_path / "encoder") / "model.safetensors")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert [path.name for path in sorted((tmp_path / "encoder").iterdir()) if "model" in path.name] == [
        "model.safetensors"
    ]


def test_the_checksum_of_weights_in_parts_is_of_all_parts(tmp_path):
    folder = small_checkpoint(tmp_path / "bert", "bert")
    checkpoints.check(folder, LAYERS, checksum(folder / "model.safetensors"))
    in_parts(folder)
    checkpoints.check(folder, LAYERS, checksum_of_files(folder, folder.glob("*.safetensors")))
    with pytest.raises(InputError, match=r"bert: weights in 2 parts: SHA-256 is .* but the config says 0000"):
        checkpoints.check(folder, LAYERS, "0" * 64)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(
        InputError, match=r"index.json: model-00002-of-00002.safetensors is missing; expected: all files"
    ):
        checkpoints.check(folder, LAYERS)
    (folder / "model.safetensors.index.json").write_text("[]")
    with pytest.raises(InputError, match=r"index.json: damaged; expected: an index of weights with the key weight_map"):
        checkpoints.check(folder, LAYERS)


def test_a_tokenizer_of_sentencepiece_says_what_is_needed(tmp_path):
    folder = small_checkpoint(tmp_path, "t5_encoder")
    (folder / "tokenizer.json").rename(folder / "spiece.model")
    with pytest.raises(InputError, match=r"expected: spiece.model converted to tokenizer.json, which AutoTokenizer"):
        checkpoints.check(folder, LAYERS)


@pytest.mark.parametrize("name", ["no", "on", "null", "0x1f", "123", "1e3", "~", "y", "True", "1_000", ".5", "0"])
def test_an_encoder_in_a_folder_of_any_name(tmp_path, monkeypatch, name):
    """The name comes back from YAML as it was written; `0` is the folder of a base model of ours."""
    import yaml

    from selfembed.proposals import proposed_config

    shutil.move(small_checkpoint(tmp_path / "bert", "bert"), tmp_path / name)
    monkeypatch.chdir(tmp_path)
    encoder = base_encoder.encoder_from(f"./{name}", fetch_config=None)
    source = {"type": "file", "path": "texts.csv", "text": "text"}
    proposal = proposals.Proposal("own", source, 500, 450, 50, held_out=0.1, encoder=encoder)
    config = yaml.safe_load(proposed_config.render(proposal, "own.yaml"))
    assert list(config["encoders"]) == ["tfidf", encoder.name, f"{encoder.name}_words"]
    assert config["encoders"][f"{encoder.name}_words"]["of"] == encoder.name
    assert config["encoders"][encoder.name]["path"] == name
    assert [entry["encoder"] for entry in config["experiments"]["maps"]["models"]] == list(config["encoders"])[1:]
