"""A BERT with an adapter: the `adapters` library's hidden states against ours, layer by layer.

The library needs an older transformers, so it runs in an environment of its own. `make`, run there, makes a small BERT
and an adapter with random weights, saves both, loads the adapter under another name and writes the hidden states.
`compare`, run in our environment, gives the same files to our module and prints the largest difference of every layer.

    python -m venv /tmp/adapters && /tmp/adapters/bin/pip install adapters torch
    /tmp/adapters/bin/python bench/adapters_library.py make /tmp/reference
    python bench/adapters_library.py compare /tmp/reference
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from transformers import BertConfig, BertModel

LAYERS = 3


def make(folder: Path) -> None:
    """Write `base/`, `adapter/` and `hidden.npz`, with the library."""
    from adapters import AutoAdapterModel, SeqBnConfig

    torch.manual_seed(0)
    sizes = {"hidden_size": 64, "num_hidden_layers": LAYERS, "num_attention_heads": 4, "intermediate_size": 128}
    bert = BertModel(BertConfig(vocab_size=400, max_position_embeddings=64, **sizes))
    draw(bert, 0.3)  # so large that the layers differ much
    bert.save_pretrained(folder / "base")
    made = AutoAdapterModel.from_pretrained(folder / "base")
    made.add_adapter("[PRX]", config=SeqBnConfig())
    draw(made.bert.encoder, 0.5, ".adapters.")
    made.save_adapter(str(folder / "adapter"), "[PRX]")
    model = AutoAdapterModel.from_pretrained(folder / "base")
    model.load_adapter(str(folder / "adapter"), load_as="specter2", set_active=True)
    ids = torch.randint(0, 400, (4, 12))
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    mask[3, 3:] = 0
    states = {name: hidden(one.eval(), ids, mask) for name, one in (("adapted", model.bert), ("plain", bert))}
    np.savez(folder / "hidden.npz", ids=ids.numpy(), mask=mask.numpy(), **states)


def draw(module: torch.nn.Module, size: float, part: str = "") -> None:
    """Random weights in place, where a weight's name has a part; LayerNorms scale by 1 and something."""
    with torch.no_grad():
        for name, weights in module.named_parameters():
            if part in name:
                weights.copy_(torch.randn_like(weights) * size + float("LayerNorm.weight" in name))


def hidden(model: torch.nn.Module, ids: torch.Tensor, mask: torch.Tensor) -> np.ndarray:
    """Hidden states, shape (layers + 1, texts, tokens, dim)."""
    with torch.no_grad():
        output = model(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    return torch.stack(output.hidden_states).numpy()


def compare(folder: Path) -> None:
    """Print what the adapter changes, and the largest difference between the library and us, for every layer."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))
    from selfembed.models import adapters

    theirs = np.load(folder / "hidden.npz")
    encoder = argparse.Namespace(model=BertModel.from_pretrained(folder / "base"))
    with tempfile.TemporaryDirectory() as place:
        adapters.copy(folder / "adapter", Path(place) / "adapter")
        adapters.add(encoder, Path(place) / "adapter", LAYERS)
    ours = hidden(encoder.model, torch.tensor(theirs["ids"]), torch.tensor(theirs["mask"]))
    tokens = theirs["mask"].astype(bool)
    print("layer | the adapter changes | library against ours")
    for layer in range(LAYERS + 1):
        changes, difference = (
            np.abs(theirs["adapted"][layer] - other[layer])[tokens].max() for other in (theirs["plain"], ours)
        )
        print(f"{layer} | {changes:.3g} | {difference:.3g}")


def main() -> None:
    """Run one half."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("half", choices=["make", "compare"])
    parser.add_argument("folder", type=Path, help="where the first half writes and the second reads")
    arguments = parser.parse_args()
    {"make": make, "compare": compare}[arguments.half](arguments.folder)


if __name__ == "__main__":
    main()
