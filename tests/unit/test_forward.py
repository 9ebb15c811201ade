"""The forward pass of fine-tuning in parts and in lower precision, against the plain one."""

import itertools

import pytest
import torch
from small_models import small_bert, text

from selfembed.embeddings import forward
from selfembed.models import encoders
from selfembed.models.token_embeddings import TokenEmbeddings

TEXTS = [text(length, length) for length in (1, 2, 4, 9, 9, 17, 30, 33)]


@pytest.fixture
def model(tmp_path):
    return small_bert(tmp_path, dropout=0.0)


def embeddings_alone(model):
    return encoders.embedding_layer(model[0], 64)


def step(model, pooling, precision, tokens_per_pass):
    """Vectors of texts of many lengths, and the gradients of a function of them."""
    made = encoders.assemble(model[0], pooling, 64)
    made.train()
    made.zero_grad()
    with forward.encoder_forward(made, precision, tokens_per_pass):
        vectors = made(made.preprocess(TEXTS))["sentence_embedding"]
    (vectors**2).sum().backward()
    gradients = [weights.grad.clone() for weights in made.parameters() if weights.grad is not None]
    return vectors.detach(), gradients


@pytest.mark.parametrize("pooling", ["mean", "cls", "last", "token7"])
@pytest.mark.parametrize("tokens_per_pass", [1, 20, 64, 100])
def test_parts_give_the_vectors_and_gradients_of_the_whole(model, pooling, tokens_per_pass):
    whole, whole_gradients = step(model, pooling, "fp32", 10**6)
    parts, part_gradients = step(model, pooling, "fp32", tokens_per_pass)
    torch.testing.assert_close(parts, whole, atol=1e-5, rtol=1e-4)
    for one, other in itertools.zip_longest(part_gradients, whole_gradients):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


def test_parts_of_embeddings_alone(model):
    layer = embeddings_alone(model)
    assert any(isinstance(module, TokenEmbeddings) for module in layer.modules())
    torch.testing.assert_close(step(layer, "mean", "fp32", 20)[0], step(layer, "mean", "fp32", 10**6)[0])


def test_parts_are_short_of_padding(model):
    seen = []
    model[0].model.embeddings.register_forward_hook(lambda module, inputs, output: seen.append(output.shape[:2]))
    with forward.encoder_forward(model, "fp32", 40):
        features = model(model.preprocess(TEXTS))
    assert sum(texts for texts, _ in seen) == len(TEXTS)
    assert sum(texts * width for texts, width in seen) < 0.8 * features["attention_mask"].numel()
    assert all(texts * width <= 40 or texts == 1 for texts, width in seen)


@pytest.mark.parametrize("tokens_per_pass", [20, 10**6])
def test_bf16_reaches_the_encoder_alone(model, tokens_per_pass):
    seen = {}
    dense = model[0].model.encoder.layer[0].attention.output.dense
    dense.register_forward_hook(lambda module, inputs, output: seen.update(encoder=output.dtype))
    with forward.encoder_forward(model, "bf16", tokens_per_pass):
        features = model(model.preprocess(TEXTS))
    assert seen["encoder"] == torch.bfloat16
    assert features["token_embeddings"].dtype == torch.float32
    assert features["sentence_embedding"].dtype == torch.float32
    model(model.preprocess(TEXTS))
    assert seen["encoder"] == torch.float32
    assert "forward" not in vars(model[0].model)
