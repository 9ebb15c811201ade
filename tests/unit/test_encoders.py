"""Encoders: random initialisation, poolings, saving, tokenizers, checks of checkpoints."""

import json

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from small_models import small_bert, small_distilbert, text, tokenizer_folder
from small_tasks import loaded, vectors_of
from transformers import RobertaConfig, RobertaModel
from with_defaults import embed_texts

import build_embedding_model
from selfembed.errors import InputError
from selfembed.models import checkpoints, encoders
from selfembed.training import tokenization
from warm_steps import run_program

TEXTS = [text(length) for length in (9, 30, 14)]


def test_the_seed_alone_decides_random_weights(tmp_path):
    torch.manual_seed(1)
    one = small_bert(tmp_path, seed=3).state_dict()
    torch.manual_seed(2)
    state = torch.get_rng_state()
    two = small_bert(tmp_path, seed=3).state_dict()
    assert torch.equal(state, torch.get_rng_state())
    other = small_bert(tmp_path, seed=4).state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


def test_random_weights_are_berts(tmp_path):
    weights = encoders.random_bert(
        tokenizer_folder(tmp_path),
        seed=0,
        max_length=64,
        layers=2,
        hidden_size=64,
        attention_heads=4,
        intermediate_size=128,
        dropout=0.1,
    ).state_dict()
    dense = next(tensor for name, tensor in weights.items() if name.endswith("layer.0.intermediate.dense.weight"))
    assert float(dense.std()) == pytest.approx(0.02, rel=0.05)
    assert abs(float(dense.mean())) < 0.002


@pytest.mark.parametrize("pooling", ["mean", "cls", "last", "token7"])
def test_a_saved_model_gives_the_same_vectors_and_its_pooling_is_ours(tmp_path, pooling):
    model = encoders.assemble(small_bert(tmp_path / "tokenizer")[0], pooling, 64)
    encoders.save(model, tmp_path / "model", "card")
    loaded = SentenceTransformer(str(tmp_path / "model"), trust_remote_code=pooling == "token7", device="cpu")
    np.testing.assert_allclose(loaded.encode(TEXTS), model.encode(TEXTS), atol=1e-6)
    out = np.zeros((1, 1, len(TEXTS), 16), dtype=np.float32)
    embed_texts(encoders.load(tmp_path / "model"), TEXTS, [2], [pooling], out, max_length=64)
    np.testing.assert_allclose(out[0, 0], model.encode(TEXTS), atol=1e-5)
    assert (tmp_path / "model" / "README.md").read_text() == "card"
    assert list((tmp_path / "model").glob("*.bin")) == []


@pytest.mark.slow
def test_anyone_can_load_a_token7_model(tmp_path):
    """In a process that knows nothing of this library."""
    model = encoders.assemble(small_bert(tmp_path / "tokenizer")[0], "token7", 64)
    encoders.save(model, tmp_path / "model", "card")
    done = answer_of_a_stranger(tmp_path / "model", ", trust_remote_code=True")
    np.testing.assert_allclose(json.loads(done.stdout.splitlines()[-1]), model.encode(TEXTS[1]), atol=1e-5)


def test_texts_are_truncated_to_the_models_length(tmp_path):
    model = small_bert(tmp_path, max_length=10)
    np.testing.assert_allclose(model.encode(text(8)), model.encode(text(50)), atol=1e-6)


def test_a_trained_tokenizer_is_reproducible_and_lower_cases():
    texts = [text(30, start) for start in range(20)]
    one, two = (tokenization.train_tokenizer(texts, 300) for _ in range(2))
    assert one.get_vocab() == two.get_vocab()
    assert len(one) <= 300
    assert one("Quick FOX")["input_ids"] == one("quick fox")["input_ids"]
    tokens = one.convert_ids_to_tokens(one("quick fox")["input_ids"])
    assert (tokens[0], tokens[-1]) == ("[CLS]", "[SEP]")
    assert one.pad_token == "[PAD]"


def answer_of_a_stranger(folder, arguments=""):
    """What SentenceTransformer says in a process that knows nothing of this library."""
    program = (
        "from sentence_transformers import SentenceTransformer\n"
        f"model = SentenceTransformer({str(folder)!r}{arguments})\n"
        f"print(model.encode([{TEXTS[1]!r}])[0].tolist())"
    )
    path = folder.parent / "stranger.py"
    path.write_text(program)
    return run_program(path, cwd=folder)


@pytest.mark.slow
@pytest.mark.parametrize(("part", "trust"), [("layer", ", trust_remote_code=True"), ("module", "")])
def test_anyone_can_load_embeddings_alone_as_their_card_says(tmp_path, part, trust):
    encoders.save(small_bert(tmp_path / "tokenizer"), tmp_path / "base" / "0", "card")
    build_embedding_model.main(
        f"--base {tmp_path}/base --part {part} --name part --max-length 64 --output {tmp_path}/{part}".split()
    )
    folder = tmp_path / part / "0"
    assert f'SentenceTransformer("path/to/this/folder"{trust})' in (folder / "README.md").read_text()
    done = answer_of_a_stranger(folder, trust)
    assert done.returncode == 0, done.stderr
    out = np.zeros((1, 1, 1, 16), dtype=np.float32)
    embed_texts(encoders.load(folder), [TEXTS[1]], [0], ["mean"], out, max_length=64)
    np.testing.assert_allclose(json.loads(done.stdout.splitlines()[-1]), out[0, 0, 0], atol=1e-5)


def test_an_embedding_layer_and_module_differ(tmp_path):
    """The module adds positions and normalises."""
    owner = small_bert(tmp_path / "tokenizer", dropout=0.0)
    encoders.save(owner, tmp_path / "base", "card")
    layer = encoders.embedding_layer(owner[0], 64).encode(TEXTS)
    module = encoders.assemble(encoders.load(tmp_path / "base", layers=0), "mean", 64).encode(TEXTS)
    assert not np.allclose(layer, module, atol=1e-3)


@pytest.mark.parametrize("layers", [-1, 3])
def test_a_cut_beyond_the_layers_is_refused(checkpoint, layers):
    """And not filled with random ones."""
    with pytest.raises(InputError, match=f"layer {layers} does not exist; expected: 0 to 2"):
        encoders.load(checkpoint, layers=layers)


def test_layers_of_other_architectures_can_be_frozen(tmp_path):
    encoder = small_distilbert(tmp_path)[0]
    encoders.freeze_below(encoder, 1)
    trainable = [name for name, weights in encoder.model.named_parameters() if weights.requires_grad]
    assert trainable
    assert all(name.startswith("transformer.layer.1.") for name in trainable)


def test_an_encoder_without_layers_has_none_to_unfreeze(tmp_path):
    layer = encoders.embedding_layer(small_bert(tmp_path)[0], 64)
    with pytest.raises(
        InputError, match="unfrozen_layers is 1, but the encoder has no layers; expected: no unfrozen_layers"
    ):
        encoders.freeze_below(layer[0], 1)


@pytest.fixture
def checkpoint(tmp_path):
    """A folder with two layers."""
    encoders.save(small_bert(tmp_path / "tokenizer"), tmp_path / "checkpoint", "card")
    return tmp_path / "checkpoint"


def test_a_good_checkpoint_passes(checkpoint):
    checkpoints.check(checkpoint, layers=2)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "config.json").unlink(), "no config.json"),
        (
            lambda folder: (folder / "model.safetensors").unlink(),
            "no model.safetensors or .*; expected: a transformers checkpoint with weights",
        ),
        (lambda folder: (folder / "tokenizer.json").unlink(), "no tokenizer.json, or vocab.txt, or vocab.json with"),
    ],
)
def test_a_missing_file_is_named(checkpoint, spoil, message):
    spoil(checkpoint)
    with pytest.raises(InputError, match=message):
        checkpoints.check(checkpoint, layers=2)


def test_a_checkpoint_with_a_byte_level_vocabulary_passes_and_loads(tmp_path):
    """RoBERTa's tokenizer may come as vocab.json and merges.txt alone."""
    tokenizer = tokenization.train_tokenizer([text(40)] * 3, 400)
    tokenizer.backend_tokenizer.model.save(str(tmp_path))
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    RobertaModel(RobertaConfig(vocab_size=420, max_position_embeddings=34, **sizes)).save_pretrained(tmp_path)
    checkpoints.check(tmp_path, layers=2)
    assert np.isfinite(encoders.assemble(encoders.load(tmp_path), "mean", 32).encode(TEXTS)).all()
    (tmp_path / "merges.txt").unlink()
    with pytest.raises(InputError, match="expected: a tokenizer beside the weights"):
        checkpoints.check(tmp_path, layers=2)


def test_wrong_layers_and_wrong_checksum_are_named(checkpoint):
    with pytest.raises(InputError, match="2 transformer layers, but the config says layers: 12"):
        checkpoints.check(checkpoint, layers=12)
    with pytest.raises(InputError, match=r"SHA-256 is [0-9a-f]{64}, but the config says 0000"):
        checkpoints.check(checkpoint, layers=2, sha256="0" * 64)


def test_more_tokens_than_positions_are_refused(tmp_path):
    with pytest.raises(InputError, match="max_length 513 exceeds the encoder's positions; expected: at most 512"):
        encoders.assemble(small_bert(tmp_path)[0], "mean", 513)


@pytest.mark.parametrize("kind", ["MPNet", "Roberta"])
def test_positions_for_padding_hold_no_tokens(tmp_path, kind):
    """These architectures number tokens from the padding token's id + 1."""
    import transformers

    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
    tokenizer = transformers.AutoTokenizer.from_pretrained(tokenizer_folder(tmp_path))
    config = getattr(transformers, f"{kind}Config")(
        vocab_size=400, max_position_embeddings=34, pad_token_id=tokenizer.pad_token_id, **sizes
    )
    getattr(transformers, f"{kind}Model")(config).save_pretrained(tmp_path)
    encoder = encoders.load(tmp_path)
    longest = encoders.longest_input(encoder, 99)
    assert longest == 34 - encoder.model.embeddings.padding_idx - 1
    assert np.isfinite(encoders.assemble(encoder, "mean", longest).encode(text(200))).all()
    with pytest.raises(InputError, match=f"max_length {longest + 1} .*; expected: at most {longest}$"):
        encoders.assemble(encoder, "mean", longest + 1)
    assert loaded(tmp_path, layers=[1], max_length=99).max_length == longest
    assert np.isfinite(vectors_of(tmp_path, [text(200)], layer=1, max_length=99)).all()


def test_checkpoints_that_name_their_layers_otherwise(tmp_path):
    small_distilbert(tmp_path)
    checkpoints.check(tmp_path, layers=2)
