"""Embedding texts with all layers and four poolings: our one pass, in fp32 and bf16, against the original's way."""

import logging

import measure
import numpy as np
import texts
import torch

from selfembed.embeddings import embedding
from selfembed.models import encoders

POOLINGS = ["mean", "cls", "last", "token7"]
MAX_LENGTH = 512
BATCH = 256  # the study's


@torch.no_grad()
def original(encoder, found):
    """The study's way: all texts padded to the longest of the corpus, a full pass for every layer."""
    encoder.model.eval()
    tokens = encoder.tokenizer(found, truncation=True, max_length=MAX_LENGTH, padding=True, return_tensors="pt")
    layers = []
    for layer in range(encoder.model.config.num_hidden_layers + 1):
        parts = []
        for start in range(0, len(found), BATCH):
            batch = {name: value[start : start + BATCH] for name, value in tokens.items()}
            hidden = encoder.model(**batch, output_hidden_states=True).hidden_states[layer]
            mask = batch["attention_mask"]
            mean = (hidden * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
            last = hidden[torch.arange(len(hidden)), mask.sum(1) - 1]
            parts.append(torch.stack([mean, hidden[:, 0], last, hidden[:, 7]]))
        layers.append(torch.cat(parts, dim=1))
    return torch.stack(layers, dim=1).numpy()


def ours(encoder, found, precision):
    """One pass for everything, texts of similar length together."""
    layers = list(range(encoder.model.config.num_hidden_layers + 1))
    out = np.empty((len(POOLINGS), len(layers), len(found), encoder.model.config.hidden_size), np.float32)
    embedding.embed(encoder, found, layers, POOLINGS, out, max_length=MAX_LENGTH, precision=precision)
    return out


def main():
    """Check that the ways agree, time them and print a table."""
    parser = measure.parser(__doc__, rounds=3)
    texts.add_arguments(parser, 2000)
    parser.add_argument("--sample", type=int, default=160, help="texts embedded, spread evenly over the lengths of all")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    logging.getLogger("transformers").setLevel(logging.ERROR)
    everything = texts.read(arguments)["text"].tolist()
    encoder = encoders.load(measure.minilm())
    model = encoders.assemble(encoder, "mean", MAX_LENGTH)
    lengths = np.array([min(len(ids), MAX_LENGTH) for ids in encoder.tokenizer(everything)["input_ids"]])
    chosen = np.argsort(lengths)[np.linspace(0, len(everything) - 1, arguments.sample).round().astype(int)]
    found = [everything[position] for position in np.random.default_rng(0).permutation(chosen)]
    print(
        f"{len(everything)} texts, {lengths.mean():.0f} tokens in a text, {lengths.max()} in the longest; "
        f"{len(found)} of them, {lengths[chosen].mean():.0f} and {lengths[chosen].max()}\n"
    )
    expected = original(encoder, found)
    np.testing.assert_allclose(ours(encoder, found, "fp32"), expected, atol=1e-4)
    np.testing.assert_allclose(ours(encoder, found, "bf16"), expected, atol=0.5)
    ways = {
        "original": lambda: original(encoder, found),
        "sentence-transformers' encode: the last layer's mean alone": lambda: model.encode(found),
        "ours, fp32": lambda: ours(encoder, found, "fp32"),
        "ours, bf16": lambda: ours(encoder, found, "bf16"),
    }
    print(measure.report(measure.alternate(ways, arguments.rounds), "original"))


if __name__ == "__main__":
    main()
