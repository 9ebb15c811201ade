"""Folders with pretrained weights: what they must hold."""

import pickle
from pathlib import Path

from transformers import AutoConfig

from selfembed.errors import InputError, first_line
from selfembed.records import checksum

# Files that a fast tokenizer is made from: any of these groups will do.
TOKENIZERS = (("tokenizer.json",), ("vocab.txt",), ("vocab.json", "merges.txt"))


def check(folder: Path, layers: int, sha256: str | None = None) -> None:
    """Check that a folder holds a checkpoint we can use.

    Raises InputError if config, tokenizer or safetensors weights are missing, if the weights' SHA-256 differs, or if
    the number of transformer layers does.
    """
    for name in ("config.json", "model.safetensors"):
        if not (folder / name).is_file():
            raise InputError(f"{folder}: no {name}; needed: a transformers checkpoint with safetensors weights")
    if not any(all((folder / name).is_file() for name in names) for names in TOKENIZERS):
        known = ", or ".join(" with ".join(names) for names in TOKENIZERS)
        raise InputError(f"{folder}: no {known}; needed: a tokenizer beside the weights")
    found = checksum(folder / "model.safetensors")
    if sha256 is not None and found != sha256:
        raise InputError(f"{folder}/model.safetensors: SHA-256 is {found}, but the config says {sha256}")
    found = last_layer(folder)
    if found != layers:
        raise InputError(f"{folder}: {found} transformer layers, but the config says layers: {layers}")


def last_layer(folder: Path) -> int:
    """Number of transformer layers of a checkpoint or a saved model, whatever its architecture calls them."""
    return AutoConfig.from_pretrained(folder, local_files_only=True).num_hidden_layers


def convert(weights: Path, output: Path) -> None:
    """Write the tensors of a PyTorch checkpoint as safetensors; no code in the checkpoint runs.

    Raises InputError if the checkpoint holds anything but tensors.
    """
    import torch
    from safetensors.torch import save_file

    try:
        tensors = torch.load(weights, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise InputError(
            f"{weights}: cannot be read without running code: {first_line(error)}; needed: safetensors"
        ) from error
    # Tied tensors become copies, which safetensors needs; transformers ties them again.
    save_file({name: tensor.clone().contiguous() for name, tensor in tensors.items()}, output, {"format": "pt"})
