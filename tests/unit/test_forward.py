"""The forward pass of fine-tuning in parts, with bounded memory and in lower precision, against the plain one."""

import itertools

import pytest
import torch
from small_architectures import small_checkpoint
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


def step(model, pooling, precision, tokens_per_pass, tokens_kept=10**6):
    """Vectors of texts of many lengths, and the gradients of a function of them."""
    made = encoders.assemble(model[0], pooling, 64)
    made.train()
    made.zero_grad()
    torch.manual_seed(1)
    with forward.encoder_forward(made, precision, tokens_per_pass, tokens_kept):
        vectors = made(made.preprocess(TEXTS))["sentence_embedding"]
        (vectors**2).sum().backward()
    gradients = [weights.grad.clone() for weights in made.parameters() if weights.grad is not None]
    return vectors.detach(), gradients


def plain_step(model, pooling):
    """The same without parts."""
    made = encoders.assemble(model[0], pooling, 64)
    made.train()
    made.zero_grad()
    vectors = made(made.preprocess(TEXTS))["sentence_embedding"]
    (vectors**2).sum().backward()
    return vectors.detach(), [weights.grad.clone() for weights in made.parameters() if weights.grad is not None]


@pytest.mark.parametrize("pooling", ["mean", "cls", "last", "token7"])
@pytest.mark.parametrize("tokens_kept", [0, 10**6])
@pytest.mark.parametrize("tokens_per_pass", [1, 20, 64, 100, 10**6])
def test_parts_give_the_vectors_and_gradients_of_the_whole(model, pooling, tokens_per_pass, tokens_kept):
    whole, whole_gradients = plain_step(model, pooling)
    parts, part_gradients = step(model, pooling, "fp32", tokens_per_pass, tokens_kept)
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
    features = model.preprocess(TEXTS)
    with forward.encoder_forward(model, "fp32", 40, 0):
        model(features)
    assert sum(texts for texts, _ in seen) == len(TEXTS)
    assert sum(texts * width for texts, width in seen) < 0.8 * features["attention_mask"].numel()
    assert all(texts * width <= 40 or texts == 1 for texts, width in seen)


@pytest.mark.parametrize("tokens_per_pass", [20, 10**6])
def test_bf16_reaches_the_encoder_alone(model, tokens_per_pass):
    seen = {}
    dense = model[0].model.encoder.layer[0].attention.output.dense
    dense.register_forward_hook(lambda module, inputs, output: seen.update(encoder=output.dtype))
    model[1].register_forward_hook(lambda module, inputs, output: seen.update(tokens=inputs[0]["token_embeddings"]))
    with forward.encoder_forward(model, "bf16", tokens_per_pass, 0):
        vectors = model(model.preprocess(TEXTS))["sentence_embedding"]
    assert seen["encoder"] == torch.bfloat16
    assert seen["tokens"].dtype == vectors.dtype == torch.float32
    model(model.preprocess(TEXTS))
    assert seen["encoder"] == torch.float32
    assert "forward" not in vars(model[0].model) | vars(model)


# Activations that are computed again


def check_same(one, other):
    assert torch.equal(one[0], other[0])
    assert all(torch.equal(first, second) for first, second in zip(one[1], other[1], strict=True))


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("name", ["bert", "mpnet", "gpt2"])
def test_activations_computed_again_give_the_same_bytes_with_dropout(tmp_path, name, precision):
    model = encoders.assemble(encoders.load(small_checkpoint(tmp_path, name)), "mean", 64)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.3
    kept = step(model, "mean", precision, 20)
    for tokens_kept in (0, 40):
        check_same(step(model, "mean", precision, 20, tokens_kept), kept)
    assert not torch.equal(plain_step(model, "mean")[0], plain_step(model, "mean")[0])  # dropout is on


@pytest.mark.parametrize(("tokens_kept", "parts_again"), [(10**6, 0), (60, 3), (0, 8)])
def test_only_what_is_not_kept_is_computed_again(model, tokens_kept, parts_again):
    seen = []
    model[0].model.embeddings.register_forward_hook(lambda module, inputs, output: seen.append(output.shape[:2]))
    step(model, "mean", "fp32", 1, tokens_kept)
    lengths = sorted(len(model.tokenizer(one_text)["input_ids"]) for one_text in TEXTS)
    widths = [max(length, forward.SHORTEST) for length in lengths]
    assert [width for _, width in seen[: len(TEXTS)]] == widths
    assert sorted(width for _, width in seen[len(TEXTS) :]) == widths[len(TEXTS) - parts_again :]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_activations_held_until_the_backward_pass_do_not_grow_with_the_batch(model, precision):
    """Measured in bytes that autograd saves, but for weights and what every text adds to the loss."""
    held = {}
    weights = {part.untyped_storage().data_ptr() for part in model.parameters()}

    def pack(tensor):
        if tensor.untyped_storage().data_ptr() not in weights:
            held[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    def bytes_held(texts, tokens_kept):
        held.clear()
        model.train()
        with (
            forward.encoder_forward(model, precision, 64, tokens_kept),
            torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        ):
            vectors = model(model.preprocess(texts))["sentence_embedding"]
        assert len(vectors) == len(texts)
        return sum(held.values())

    one, many = ([text(30, number) for number in range(size)] for size in (4, 40))
    kept = [bytes_held(texts, 10**6) for texts in (one, many)]
    assert kept[1] > 8 * kept[0]
    assert bytes_held(many, 0) < 0.1 * kept[0]
    assert bytes_held(many, 128) < 1.1 * kept[0]
