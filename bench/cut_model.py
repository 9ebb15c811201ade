"""What a layer's MTEB score costs: a model cut at the layer, against the whole model's hidden state of that layer."""

import measure
import torch

from selfembed.embeddings import embedding
from selfembed.tasks import benchmark
from selfembed.texts import python_docs

MAX_LENGTH = 256


def hidden_states(model, texts, layer):
    """Mean-pooled vectors of one layer, with a forward pass through all."""
    features = model.preprocess(texts)
    with torch.inference_mode():
        found = model[0].model(**features, output_hidden_states=True).hidden_states[layer]
    return torch.nn.functional.normalize(embedding.pool(found, features["attention_mask"], "mean"), dim=-1)


def main():
    """Time both ways for every layer of all-MiniLM-L6-v2 and print a table."""
    parser = measure.parser(__doc__, rounds=5)
    parser.add_argument("--texts", type=int, default=64, help="texts, docstrings of installed packages")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    texts = [text for text in python_docs.extract(["sympy"])["text"] if len(text) > 1500][: arguments.texts]
    folder = measure.minilm()
    models = {
        layer: benchmark.model_at(folder, layer, "mean", MAX_LENGTH, True, "bench", "0" * 40) for layer in range(7)
    }
    whole = models[6]
    for layer, model in models.items():
        cut = torch.tensor(model.encode(texts, batch_size=len(texts)))
        torch.testing.assert_close(cut, hidden_states(whole, texts, layer), atol=1e-5, rtol=1e-4)
    ways = {"whole model, hidden state of any layer": lambda: hidden_states(whole, texts, 6)}
    for layer, model in models.items():
        ways[f"cut at layer {layer}"] = lambda model=model: model.encode(texts, batch_size=len(texts))
    print(measure.report(measure.alternate(ways, arguments.rounds), next(iter(ways))))


if __name__ == "__main__":
    main()
