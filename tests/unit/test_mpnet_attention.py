"""The fused attention of MPNet, against the steps of transformers."""

import json

import pytest
import torch
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from small_architectures import POSITIONS, TEXTS, small_checkpoint
from transformers import AutoModel, MPNetConfig, MPNetModel

from selfembed.models import encoders, mpnet_attention

VOCABULARY = 50
LENGTHS = [1, 2, 7, 8, 9, 64, 127, POSITIONS - 2]
TOLERANCE = {"atol": 1e-5, "rtol": 1e-5}


def small_mpnet(dropout=0.0):
    """Three layers of width 16, with weights so large that positions count."""
    sizes = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 2, "intermediate_size": 32}
    sizes |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": dropout}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = MPNetModel(MPNetConfig(vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, **sizes))
        for weights in model.parameters():
            weights.data += 0.3 * torch.randn_like(weights)
    return model.eval()


def batch(lengths):
    """Token ids of texts of some lengths, padded with MPNet's padding token, 1."""
    generator = torch.Generator().manual_seed(0)
    mask = (torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(2, VOCABULARY, mask.shape, generator=generator)
    return {"input_ids": torch.where(mask == 1, ids, 1), "attention_mask": mask}


def step(model, inputs, **arguments):
    """Hidden states of all layers at tokens, and the gradients of a function of them."""
    model.zero_grad()
    output = model(**inputs, output_hidden_states=True, **arguments)
    kept = inputs["attention_mask"].bool()
    hidden = torch.stack(output.hidden_states)[:, kept]
    (hidden**2 * torch.linspace(-1, 1, hidden.shape[-1])).mean().backward()
    return hidden.detach(), {name: part.grad for name, part in model.named_parameters() if part.grad is not None}


def check_equal(one, other):
    torch.testing.assert_close(one[0], other[0], **TOLERANCE)
    assert one[1].keys() == other[1].keys()
    for name, gradient in one[1].items():
        torch.testing.assert_close(gradient, other[1][name], **TOLERANCE, msg=name)


@pytest.fixture(params=["as on a GPU", "as on a CPU"])
def kernel(request, monkeypatch):
    """Whether the operation is used with gradients, too."""
    if request.param == "as on a GPU":
        monkeypatch.setattr(mpnet_attention, "has_kernel", lambda hidden_states: True)
    return request.param


@pytest.fixture
def models(kernel):
    plain, fused = small_mpnet(), small_mpnet()
    mpnet_attention.fuse(fused)
    return plain, fused


@pytest.fixture
def calls(monkeypatch):
    """The masks that the operation was called with."""
    found = []

    def seen(query, key, value, mask, dropout):
        found.append(mask)
        return torch.nn.functional.scaled_dot_product_attention(query, key, value, mask, dropout)

    monkeypatch.setattr(mpnet_attention, "scaled_dot_product_attention", seen)
    return found


@pytest.mark.parametrize("lengths", [*([length] * 3 for length in LENGTHS), LENGTHS])
@pytest.mark.parametrize("training", [False, True])
def test_hidden_states_and_gradients_are_those_of_transformers(models, lengths, training, kernel, calls):
    one, other = (step(model.train(training), batch(lengths)) for model in models)
    assert any("relative_attention_bias" in name for name in one[1])
    check_equal(other, one)
    assert len(calls) == (3 if kernel == "as on a GPU" else 0)


@pytest.mark.parametrize("lengths", [*([length] * 3 for length in LENGTHS), LENGTHS])
def test_hidden_states_without_gradients_are_those_of_transformers(models, lengths, calls):
    inputs = batch(lengths)
    kept = inputs["attention_mask"].bool()
    with torch.inference_mode():
        expected, found = (model(**inputs, output_hidden_states=True).hidden_states for model in models)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one[kept], other[kept], **TOLERANCE)
    assert len(calls) == 3


def test_positions_and_padding_count(models):
    """Otherwise equality would say little."""
    inputs = batch([5, 60])
    hidden = step(models[1], inputs)[0]
    models[1].encoder.relative_attention_bias.weight.data.zero_()
    assert (step(models[1], inputs)[0] - hidden).abs().max() > 1e-2
    unmasked = {**inputs, "attention_mask": torch.ones_like(inputs["attention_mask"])}
    with torch.no_grad():
        assert (models[0](**unmasked)[0][0, :5] - models[0](**inputs)[0][0, :5]).abs().max() > 1e-2


def test_a_text_without_tokens_has_the_finite_vectors_of_transformers(models):
    inputs = batch([5, 9])
    inputs["attention_mask"][0] = 0
    with torch.no_grad():
        expected, found = (model(**inputs).last_hidden_state for model in models)
        torch.testing.assert_close(found, expected, **TOLERANCE)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert models[1](**inputs).last_hidden_state.isfinite().all()


def test_bf16_rounds_no_more_than_transformers_does(models):
    inputs = batch(LENGTHS)
    exact = step(models[0], inputs)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        steps, fused = (step(model, inputs)[0].float() for model in models)
    assert (steps - exact).abs().max() > 1e-4
    assert (fused - exact).abs().mean() < 1.5 * (steps - exact).abs().mean()


@pytest.mark.parametrize("share", [0.0, 0.3])
def test_dropout_of_attention_in_training(share, kernel):
    """The mean over many masks is near the vectors without dropout; a seed decides the masks."""
    model = small_mpnet(dropout=share)
    mpnet_attention.fuse(model)
    attention, hidden = model.encoder.layer[0].attention.attn, torch.randn(1, 40, 16)
    with torch.no_grad():
        (expected,) = attention.eval()(hidden)
        attention.train()
        torch.manual_seed(1)
        (one,) = attention(hidden)
        torch.manual_seed(1)
        (again,) = attention(hidden)
        mean = torch.stack([attention(hidden)[0] for _ in range(2000)]).mean(dim=0)
    assert torch.equal(one, again)
    assert torch.equal(one, expected) == (share == 0.0)
    assert (mean - expected).abs().mean() < 0.05 * (expected - expected.mean()).abs().mean()


@torch.inference_mode()
def test_every_layer_uses_the_operation_with_one_mask(tmp_path, calls):
    encoder = encoders.load(small_checkpoint(tmp_path, "mpnet"), layers=2).eval()
    features = encoder.preprocess(TEXTS)
    encoder(features)
    assert len(calls) == 2
    assert calls[0] is calls[1]
    n_texts, width = features["input_ids"].shape
    assert calls[0].shape == (n_texts, 2, width, width)
    encoder(encoder.preprocess(TEXTS[:1]))
    assert calls[-1].shape[0] == 1


def test_every_way_to_load_an_encoder_uses_it(tmp_path, calls):
    folder = small_checkpoint(tmp_path / "mpnet", "mpnet")
    model = encoders.assemble(encoders.load(folder), "mean", 32)
    encoders.save(model, tmp_path / "saved", "card")
    for loaded in (model, encoders.load_whole(tmp_path / "saved")):
        calls.clear()
        loaded.encode(TEXTS[:1])
        assert len(calls) == 3
    calls.clear()
    encoders.assemble(encoders.load(small_checkpoint(tmp_path / "bert", "bert")), "mean", 32).encode(TEXTS)
    assert not calls


def test_attention_weights_on_request(models, calls):
    inputs = batch([5, 60])
    with torch.no_grad():
        expected, found = (model(**inputs, output_attentions=True) for model in models)
    for one, other in zip(found.attentions, expected.attentions, strict=True):
        torch.testing.assert_close(one, other, **TOLERANCE)
    assert not calls


def test_saved_files_are_those_of_transformers(tmp_path):
    """A plain transformers loads them, and computes the same vectors."""
    folder = small_checkpoint(tmp_path / "plain", "mpnet")
    model = encoders.assemble(encoders.load(folder), "mean", 32)
    encoders.save(model, tmp_path / "saved", "card")
    plain, saved = (load_file(path / "model.safetensors") for path in (folder, tmp_path / "saved"))
    assert plain.keys() == saved.keys()
    assert all(torch.equal(plain[name], saved[name]) for name in plain)
    configs = [json.loads((path / "config.json").read_text()) for path in (folder, tmp_path / "saved")]
    assert configs[0] == configs[1]
    loaded = AutoModel.from_pretrained(tmp_path / "saved")
    assert type(loaded.encoder.layer[0].attention.attn).__name__ == "MPNetSelfAttention"
    features = model.preprocess(TEXTS)
    inputs = {name: features[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        kept = inputs["attention_mask"].bool()
        torch.testing.assert_close(loaded(**inputs)[0][kept], model[0].model(**inputs)[0][kept], **TOLERANCE)
    vectors = SentenceTransformer(str(tmp_path / "saved"), device="cpu").encode(TEXTS, convert_to_tensor=True)
    torch.testing.assert_close(vectors, model.encode(TEXTS, convert_to_tensor=True), **TOLERANCE)
